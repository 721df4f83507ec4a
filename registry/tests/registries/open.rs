use crate::common::{instance, key};
use doge_registry::open;

#[tokio::test]
async fn each_form_opens_its_registry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    for url in [
        "memory:".to_owned(),
        format!("file:{path}"),
        format!("file://{path}"),
    ] {
        let registry = open(&url).unwrap();
        let registration = registry.register(instance("tcp://a:1")).await.unwrap();
        assert_eq!(
            registry.watch(key()).await.unwrap().snapshot().len(),
            1,
            "{url}"
        );
        registration.leave().await.unwrap();
    }
    let fixed = open("static:tcp://a:1,unix:///run/b.sock").unwrap();
    assert_eq!(fixed.watch(key()).await.unwrap().snapshot().len(), 2);
}

#[test]
fn an_error_tells_the_accepted_forms() {
    for url in [
        "",
        "memory",
        "memory:x",
        "file:",
        "file://host/x",
        "static:",
        "static:a,,b",
        "redis:x",
    ] {
        let error = open(url).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.url(), url);
        for part in [
            "memory:",
            "file:DIR",
            "static:",
            "dns://{service}",
            "dns+srv://",
            "etcd://",
            url,
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}

#[cfg(not(feature = "dns"))]
#[test]
fn without_its_feature_dns_is_named_with_what_to_enable() {
    for url in ["dns://a:1", "dns+srv://a"] {
        let error = open(url).unwrap_err().to_string();
        assert!(error.contains("enable the feature `dns`"), "{error}");
    }
}

#[cfg(feature = "dns")]
#[test]
fn dns_is_opened_without_being_asked() {
    for url in [
        "dns://{service}.nowhere.example:4399?refresh=1s..1m",
        "dns+srv://_doge._tcp.nowhere.example?server=10.0.0.10",
    ] {
        open(url).unwrap();
    }
    for (url, part) in [
        ("dns://nowhere.example:0", "SRV records"),
        ("dns://nowhere.example", "port"),
        ("dns+srv://nowhere.example:4399", "no port"),
    ] {
        let error = open(url).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[cfg(not(feature = "etcd"))]
#[test]
fn without_its_feature_etcd_is_named_with_what_to_enable() {
    for url in ["etcd://a:2379", "etcds://a:2379"] {
        let error = open(url).unwrap_err().to_string();
        assert!(error.contains("enable the feature `etcd`"), "{error}");
    }
}

#[cfg(feature = "etcd")]
#[test]
fn etcd_is_opened_without_being_connected_to() {
    for url in ["etcd://nowhere.example", "etcds://a:1,b:2/x?ttl=30s"] {
        open(url).unwrap();
    }
    for url in [
        "etcd://hr:se/cret@a",
        "etcd://hr:se?cret@a",
        "etcd://hr:se/?cret@a/x",
    ] {
        let text = open(url).unwrap_err().to_string();
        assert!(
            text.contains("%2F") && !text.contains("cret") && !text.contains("hr:se"),
            "{text}"
        );
    }
    let error = open("etcd://hr:secret@a?ttl=soon").unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("ttl=soon") && !text.contains("secret"),
        "{text}"
    );
}
