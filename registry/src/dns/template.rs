use std::fmt;
use std::net::IpAddr;

use hickory_resolver::proto::rr::Name;

use crate::{RegistryError, ServiceKey};

const SETTING: &str = "DNS name";
const LONGEST_LABEL: usize = 63;
/// Without the dot at the end.
const LONGEST_NAME: usize = 253;

/// A name with placeholders for the parts of a service key.
#[derive(Clone, Debug)]
pub(super) struct Template {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Part(fn(&ServiceKey) -> String),
}

impl Template {
    /// Checks what can be checked without a key.
    pub(super) fn parse(text: &str) -> Result<Self, RegistryError> {
        let template = Self {
            pieces: pieces(text).map_err(|mend| invalid(text, mend))?,
            text: text.to_owned(),
        };
        if text.parse::<IpAddr>().is_ok() {
            let mend = "it is an IP address, of which DNS has no records; use static:tcp://IP:PORT";
            return Err(invalid(text, mend));
        }
        let short = ServiceKey::new("s").with_group("g").with_version("v");
        template.name(&short)?;
        Ok(template)
    }

    /// The name for this key; absolute if the template ends with a dot.
    pub(super) fn name(&self, key: &ServiceKey) -> Result<Name, RegistryError> {
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Part(part) => part(key),
        });
        let text: String = pieces.collect();
        check(&text).map_err(|mend| invalid(&text, mend))?;
        let name = Name::from_ascii(&text);
        name.map_err(|_| invalid(&text, "write a name as in employee.hr.svc"))
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, &'static str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or("a { has no }")?;
        pieces.push(Piece::Text(before.to_owned()));
        pieces.push(Piece::Part(part(name).ok_or(
            "the placeholders are {service}, {service.labels}, {service.reversed}, {group} and {version}",
        )?));
        rest = after;
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Ok(pieces)
}

fn part(name: &str) -> Option<fn(&ServiceKey) -> String> {
    Some(match name {
        "service" => |key| label(key.service()),
        "service.labels" => |key| key.service().to_owned(),
        "service.reversed" => |key| {
            let labels: Vec<_> = key.service().rsplit('.').collect();
            labels.join(".")
        },
        "group" => |key| label(key.group()),
        "version" => |key| label(key.version()),
        _ => return None,
    })
}

/// One label. Those of hosts have letters, digits and hyphens
/// ([RFC 1123](https://www.rfc-editor.org/rfc/rfc1123#section-2.1)), and so have the names of Kubernetes.
fn label(part: &str) -> String {
    part.replace(['.', '_'], "-")
}

fn check(text: &str) -> Result<(), &'static str> {
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.is_empty() {
        return Err("a name is missing, as in employee.hr.svc");
    }
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !name.bytes().all(is_of_name) {
        return Err("use A-Z a-z 0-9 - _ and dots, and the form with xn-- for other letters");
    }
    if name.split('.').any(str::is_empty) {
        return Err("a part between two dots is empty");
    }
    if name.split('.').any(|label| label.len() > LONGEST_LABEL) || name.len() > LONGEST_NAME {
        return Err("a part between two dots has at most 63 characters, and the whole name 253");
    }
    Ok(())
}

fn invalid(value: &str, mend: &'static str) -> RegistryError {
    RegistryError::InvalidSetting {
        setting: SETTING,
        value: value.to_owned(),
        mend,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ServiceKey {
        ServiceKey::new("hr.employee_file")
            .with_group("blue.1")
            .with_version("1.0")
    }

    #[test]
    fn placeholders_are_parts_of_the_key() {
        for (template, name) in [
            ("employee.hr.svc", "employee.hr.svc"),
            ("{service}.hr.svc.", "hr-employee-file.hr.svc."),
            ("{service.labels}.x", "hr.employee_file.x"),
            ("{service.reversed}.svc", "employee_file.hr.svc"),
            (
                "v{version}-{group}.{service}",
                "v1-0-blue-1.hr-employee-file",
            ),
            ("_doge._tcp.x", "_doge._tcp.x"),
        ] {
            let parsed = Template::parse(template).unwrap();
            assert_eq!(parsed.name(&key()).unwrap().to_ascii(), name);
            assert_eq!(parsed.to_string(), template);
        }
    }

    #[test]
    fn what_is_no_name_is_refused_with_what_to_write() {
        for (template, mend) in [
            ("", "missing"),
            (".", "missing"),
            ("a..b", "between two dots"),
            (".a", "between two dots"),
            ("a b", "A-Z"),
            ("bücher.example", "xn--"),
            ("a/b", "A-Z"),
            ("a\\b", "A-Z"),
            ("{service", "no }"),
            ("{instance}.x", "{service.reversed}"),
            ("service}.x", "A-Z"),
            ("10.0.0.1", "static:"),
            ("::1", "static:"),
            (&"x".repeat(64), "63"),
            (&"x.".repeat(128), "253"),
        ] {
            let error = Template::parse(template).unwrap_err().to_string();
            assert!(
                error.contains(mend) && error.contains(&format!("{template:?}")),
                "{template}: {error}"
            );
        }
    }

    #[test]
    fn a_key_that_makes_no_label_is_refused_when_it_is_known() {
        let long = ServiceKey::new(format!("hr.{}", "x".repeat(62)));
        let error = Template::parse("{service}.svc").unwrap().name(&long);
        assert!(error.unwrap_err().to_string().contains("63"));
        let labels = Template::parse("{service.labels}.svc").unwrap();
        labels.name(&long).unwrap();
        let dots = ServiceKey::new("hr..employee");
        let error = labels.name(&dots).unwrap_err().to_string();
        assert!(error.contains("between two dots"), "{error}");
    }
}
