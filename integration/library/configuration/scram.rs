//! SCRAM: where the credentials are, and the challenges for names without.

use std::fs;

use super::{REST, faults, folder, good};

#[test]
fn challenges_for_names_without_credentials() {
    let settings = good(REST);
    assert_eq!(settings.directories[0].attributes.scram, None);
    assert_eq!((settings.identity.scram.iterations, settings.identity.scram.salt_octets), (4096, 16));
    let settings = good(&format!(
        "scram: {{ iterations: 10000, salt_octets: 12 }}{REST}    attributes: {{ scram: authPassword }}\n"
    ));
    assert_eq!(settings.directories[0].attributes.scram.as_deref(), Some("authPassword"));
    assert_eq!((settings.identity.scram.iterations, settings.identity.scram.salt_octets), (10_000, 12));
    assert!(settings.identity.scram.key.is_none());
}

#[test]
fn mistakes_are_reported() {
    let folder = folder();
    fs::write(folder.path().join("long"), "0123456789abcdef\n").unwrap();
    let attribute = "    attributes: { scram: authPassword }\n";
    for (line, attribute, told) in [
        ("{ key_file: long }", attribute, None),
        (
            "{ key_file: long }",
            "",
            Some("1:20: scram.key_file: has no effect where no directory has attributes.scram; "),
        ),
        (
            "{ key_file: password }",
            attribute,
            Some("1:20: scram.key_file: the first line is too short to be a secret; "),
        ),
        ("{ key_file: none }", attribute, Some("1:20: scram.key_file: none cannot be read: ")),
        ("{ iterations: 0 }", attribute, Some("1:22: scram.iterations: \"0\" is below the minimum; expected 1 to ")),
        (
            "{ salt_octets: 33 }",
            attribute,
            Some("1:23: scram.salt_octets: \"33\" is above the maximum; expected 8 to 32"),
        ),
        ("{ salt: 16 }", attribute, Some("1:10: \"scram.salt\" is an unknown key; ")),
        (
            "{}",
            "    attributes: { scram: \"a b\" }\n",
            Some("6:26: directories.attributes.scram: \"a b\" is not an attribute"),
        ),
    ] {
        let found = faults(folder.path(), format!("scram: {line}{REST}{attribute}").as_bytes());
        assert_eq!(found.len(), usize::from(told.is_some()), "{line}: {found:?}");
        assert!(told.is_none_or(|told| found[0].starts_with(told)), "{line}: {found:?}");
    }
}
