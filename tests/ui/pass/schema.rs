//! The schema says what the trait says.

use std::time::Duration;

use doge_rpc::{Status, schema::HedgeDelay, service};

/// Who works here,
/// and since when.
#[service(name = "hr.employee", version = "2")]
pub trait EmployeeService {
    /// Looks an employee up.
    ///
    /// Fired ones too.
    #[rpc(idempotent, timeout = "2m", name = "fetch")]
    async fn get(
        &self,
        id: u64,
        #[rpc(default)] fields: Vec<Option<String>>,
    ) -> Result<(u8, String), Status>;

    #[rpc(idempotent, retries = 0, hedge = "p99.9")]
    async fn oldest(&self) -> Result<u64, Status>;

    #[rpc(hedge = "20ms", retries = 5, idempotent)]
    async fn youngest(&self) -> Result<u64, Status>;

    async fn count(&self) -> std::result::Result<u64, Status>;
}

fn main() {
    let schema = EmployeeClient::schema();
    assert_eq!((schema.name(), schema.version()), ("hr.employee", "2"));
    assert_eq!(schema.docs(), "Who works here,\nand since when.");

    let get = &schema.methods()[0];
    assert_eq!(get.name(), "fetch");
    assert_eq!(get.docs(), "Looks an employee up.\n\nFired ones too.");
    assert_eq!((get.result(), get.error()), ("(u8, String)", "Status"));
    assert_eq!(
        (get.idempotent(), get.timeout()),
        (true, Some(Duration::from_secs(120)))
    );
    let fields = &get.arguments()[1];
    assert_eq!(
        (fields.name(), fields.ty(), fields.optional()),
        ("fields", "Vec<Option<String>>", true)
    );
    assert!(!get.arguments()[0].optional());

    assert_eq!((get.retries(), get.hedge()), (None, None));

    let oldest = &schema.methods()[1];
    assert_eq!(
        (oldest.retries(), oldest.hedge()),
        (Some(0), Some(HedgeDelay::Percentile(99.9)))
    );
    let youngest = &schema.methods()[2];
    let delay = Duration::from_millis(20);
    assert_eq!(
        (youngest.idempotent(), youngest.retries(), youngest.hedge()),
        (true, Some(5), Some(HedgeDelay::After(delay)))
    );

    let count = &schema.methods()[3];
    assert_eq!(
        (
            count.name(),
            count.docs(),
            count.idempotent(),
            count.timeout()
        ),
        ("count", "", false, None)
    );
    assert!(count.arguments().is_empty());
}
