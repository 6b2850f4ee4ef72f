//! The specifications and real data beside the repository (`../shared`), which a plain clone does not have.

use std::path::PathBuf;

/// Where `name` is, e.g. `spec/ocpi/2.2.1/examples`. Where it is missing, says so and gives `None`, so that the
/// test returns; with `ROAMWATT_REQUIRE_SHARED=1` it fails instead, so that nothing is skipped unseen.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared").join(name);
    if path.exists() {
        return Some(path);
    }
    let required = std::env::var("ROAMWATT_REQUIRE_SHARED").is_ok_and(|value| value == "1");
    assert!(!required, "../shared/{name} is missing and ROAMWATT_REQUIRE_SHARED=1 makes it compulsory");
    super::not_run::not_run(name, "../shared");
    None
}
