//! Files that cannot be read; who counts as a person of a directory, and whom it lets in.

use restante::config;
use restante::directory::Source;

use super::{REST, folder, good};

#[test]
fn a_schema_settles_filter_and_names_and_each_can_be_overridden() {
    let directory = |lines: &str| good(&format!("{REST}    {lines}\n")).directories.remove(0);
    let told = |sources: &[Source]| {
        let told = sources.iter().map(|own| format!("{}{}", own.prefix.as_deref().unwrap_or_default(), own.attribute));
        told.collect::<Vec<_>>().join(" ")
    };
    let active = directory("schema: active_directory");
    assert_eq!(active.filter, "(&(objectCategory=person)(objectClass=user))");
    assert_eq!(told(&active.attributes.short_name), "sAMAccountName");
    assert_eq!(told(&active.attributes.mail), "mail userPrincipalName smtp:proxyAddresses");
    assert_eq!(active.attributes.domain.as_deref(), Some("example"));
    assert_eq!(directory("schema: active_directory\n    domain: RENO").attributes.domain.as_deref(), Some("RENO"));
    let own = directory(
        "schema: active_directory\n    attributes: { mail: [\"smtp:proxyAddresses\", mail], short_name: uid }",
    );
    assert_eq!(told(&own.attributes.mail), "smtp:proxyAddresses mail");
    assert_eq!(told(&own.attributes.short_name), "uid");
    let of_389 = directory("schema: 389ds");
    assert_eq!(of_389.filter, "(|(objectClass=inetOrgPerson)(objectClass=nsPerson))");
    assert_eq!((told(&of_389.attributes.short_name), of_389.attributes.domain), ("uid".to_owned(), None));
}

#[test]
fn the_people_that_a_directory_admits() {
    let directory = |lines: &str| good(&format!("{REST}    {lines}\n")).directories.remove(0).admission;
    assert_eq!(directory("name: x"), restante::directory::Admission::default());
    let group = directory("allowed_group: \"cn=pop3,ou=groups,dc=example,dc=org\"").group.unwrap();
    assert_eq!((group.base.as_str(), group.computed), ("ou=groups,dc=example,dc=org", false));
    let lines = "schema: active_directory\n    allowed_group: \"cn=pop3,dc=example,dc=org\"\n    group_base: dc=org";
    let group = directory(lines).group.unwrap();
    assert_eq!((group.base.as_str(), group.computed), ("dc=org", true));
    let switch = directory("enabled_attribute: { name: mailEnabled, value: \"TRUE\" }").enabled_attribute;
    assert_eq!(switch, Some(("mailEnabled".to_owned(), "TRUE".to_owned())));
}

#[test]
fn an_unreadable_file_is_reported() {
    let folder = folder();
    for (file, reason) in [("missing.yaml", "No such file"), (".", "Is a directory")] {
        let file = folder.path().join(file);
        let told = config::load(&file).err().unwrap().to_string();
        assert!(told.starts_with(&format!("{}: cannot be read: {reason}", file.display())), "{told}");
    }
}
