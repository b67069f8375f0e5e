//! The table of names: both presets, a list, and an address without its domain.

use std::fmt::Write as _;

use super::{Row, World, ldif};
use crate::support::slapd::{Options, Slapd};

const NOBODY: &str = "no such login name";
const OUTSIDE: &str = "not a kind of name that internet_authentication.names allows";

/// Names that log in under both presets.
const EVERY_PRESET: &[Row] = &[
    ("ajones", "ajones", "short_name"),
    ("AJONES", "ajones", "short_name"),
    ("UID=ajones", "ajones", "short_name"),
    ("uid = AJones", "ajones", "short_name"),
    ("Alan Jones", "ajones", "common_name"),
    ("alan jones", "ajones", "common_name"),
    ("ALAN  JONES", "ajones", "common_name"),
    ("CN=Alan Jones", "ajones", "common_name"),
    ("cn=ALAN JONES", "ajones", "common_name"),
    // A further value of cn is an alias.
    ("Al Jones", "ajones", "common_name"),
    ("CN=al jones", "ajones", "common_name"),
    ("alan.jones@renovations.example", "ajones", "mail"),
    ("Alan.JONES@Renovations.Example", "ajones", "mail"),
    ("uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example", "ajones", "distinguished_name"),
    ("UID=AJONES, OU=sales , ou=People,DC=Renovations,dc=EXAMPLE", "ajones", "distinguished_name"),
    ("cn=Alan Jones/ou=Sales/ou=people", "ajones", "hierarchical_name"),
    ("CN=ALAN JONES/OU=SALES/OU=PEOPLE", "ajones", "hierarchical_name"),
    ("cn=Alan Jones/ou=Sales/ou=people/dc=renovations/dc=example", "ajones", "hierarchical_name"),
    ("Alan Jones/Sales/people", "ajones", "hierarchical_name"),
    ("alan jones/SALES/People", "ajones", "hierarchical_name"),
    ("Al Jones/Sales/people", "ajones", "hierarchical_name"),
    ("Alan Jones/Sales/people/renovations", "ajones", "hierarchical_name"),
    ("Alan Jones/Sales/people/renovations/example", "ajones", "hierarchical_name"),
    ("Nora Hart/Sales/East/Renovations/US/people", "nhart", "hierarchical_name"),
    ("cn=Nora Hart/ou=Sales/ou=East/o=Renovations/c=US/ou=people", "nhart", "hierarchical_name"),
    // Two mail addresses; letters beyond ASCII.
    ("juergen.mueller@renovations.example", "jmueller", "mail"),
    ("jmueller@renovations.example", "jmueller", "mail"),
    ("Jürgen Müller", "jmueller", "common_name"),
    ("JÜRGEN MÜLLER", "jmueller", "common_name"),
    ("Jürgen Müller/Production/people", "jmueller", "hierarchical_name"),
    ("cn=Jürgen Müller,ou=Production,ou=people,dc=renovations,dc=example", "jmueller", "distinguished_name"),
    // A mail address as short name.
    ("kim@renovations.example", "kim@renovations.example", "short_name"),
    ("UID=Kim@Renovations.Example", "kim@renovations.example", "short_name"),
    ("kim.olsen@renovations.example", "kim@renovations.example", "mail"),
    // Two people of one common name, told apart.
    ("mbrown", "mbrown", "short_name"),
    ("mbrown2", "mbrown2", "short_name"),
    ("mary.brown@renovations.example", "mbrown", "mail"),
    ("mary.brown.production@renovations.example", "mbrown2", "mail"),
    ("Mary Brown/Sales/people", "mbrown", "hierarchical_name"),
    ("cn=Mary Brown/ou=Production/ou=people", "mbrown2", "hierarchical_name"),
    ("uid=mbrown,ou=Sales,ou=people,dc=renovations,dc=example", "mbrown", "distinguished_name"),
    ("uid=mbrown2,ou=Production,ou=people,dc=renovations,dc=example", "mbrown2", "distinguished_name"),
];

/// Names that log nobody in, whatever the preset.
const NO_PRESET: &[Row] = &[
    ("nobody", "ajones", NOBODY),
    ("CN=ajones", "ajones", NOBODY),
    ("UID=Alan Jones", "ajones", NOBODY),
    ("alan.jones", "ajones", NOBODY),
    ("alan.jones@elsewhere.example", "ajones", NOBODY),
    ("Mary Brown", "mbrown", "ambiguous: "),
    ("CN=mary brown", "mbrown2", "ambiguous: "),
    // A group is no person, whatever it is called.
    ("cn=Alan Jones,ou=groups,ou=people,dc=renovations,dc=example", "ajones", NOBODY),
    ("Alan Jones/groups/people", "ajones", NOBODY),
    ("groups", "ajones", NOBODY),
    // Every parent but dc is named, in order, as what it is.
    ("Alan Jones/Sales", "ajones", NOBODY),
    ("Alan Jones/people/Sales", "ajones", NOBODY),
    ("Alan Jones/Production/people", "ajones", NOBODY),
    ("Alan Jones/Sales/people/elsewhere", "ajones", NOBODY),
    ("Alan Jones/Sales/people/renovations/example/US", "ajones", NOBODY),
    ("cn=Alan Jones/o=Sales/ou=people", "ajones", NOBODY),
    ("Nora Hart/Sales/East/Renovations/US", "nhart", NOBODY),
    ("uid=ajones,ou=Production,ou=people,dc=renovations,dc=example", "ajones", NOBODY),
    ("uid=ajones,ou=Sales,ou=people,dc=elsewhere,dc=example", "ajones", OUTSIDE),
    // What the directory takes for no name at all.
    ("shoe=9,ou=Sales,ou=people,dc=renovations,dc=example", "ajones", NOBODY),
    // The service's own entry.
    ("cn=restante,ou=services,dc=renovations,dc=example", "restante", OUTSIDE),
    ("restante", "restante", NOBODY),
];

#[test]
fn fewer_variations() {
    let world = World::with_names("names: fewer");
    world.opens(EVERY_PRESET);
    world.opens(&[("lamb", "lamb", "short_name")]);
    world.refuses(NO_PRESET);
    world.refuses(&[
        ("Alan", "ajones", NOBODY),
        ("Jürgen", "jmueller", NOBODY),
        ("Nora", "nhart", NOBODY),
        ("Jones", "ajones", NOBODY),
        ("Müller", "jmueller", NOBODY),
    ]);
}

#[test]
fn more_variations() {
    let world = World::with_names("names: more");
    world.opens(EVERY_PRESET);
    world.opens(&[
        ("Jürgen", "jmueller", "first_name"),
        ("nora", "nhart", "first_name"),
        ("Jones", "ajones", "last_name"),
        ("MÜLLER", "jmueller", "last_name"),
    ]);
    world.refuses(NO_PRESET);
    world.refuses(&[
        ("Alan", "ajones", "ambiguous: "),
        ("Alan", "alamb", "ambiguous: "),
        ("Mary", "mbrown", "ambiguous: "),
        ("Brown", "mbrown2", "ambiguous: "),
        // One's short name, another's last name.
        ("Lamb", "lamb", "ambiguous: "),
        ("lamb", "alamb", "ambiguous: "),
        ("CN=Jürgen", "jmueller", NOBODY),
        ("UID=Jones", "ajones", NOBODY),
    ]);
}

#[test]
fn a_list_of_kinds() {
    let world = World::with_names("names: [mail, short_name]");
    world.opens(&[
        ("ajones", "ajones", "short_name"),
        ("UID=ajones", "ajones", "short_name"),
        ("Alan.Jones@renovations.example", "ajones", "mail"),
        ("mbrown2", "mbrown2", "short_name"),
        ("kim@renovations.example", "kim@renovations.example", "short_name"),
    ]);
    world.refuses(&[
        ("Alan Jones", "ajones", NOBODY),
        ("Al Jones", "ajones", NOBODY),
        ("Jürgen", "jmueller", NOBODY),
        ("Jones", "ajones", NOBODY),
        ("Alan Jones/Sales/people", "ajones", NOBODY),
        ("CN=Alan Jones", "ajones", OUTSIDE),
        ("cn=Alan Jones/ou=Sales/ou=people", "ajones", OUTSIDE),
        ("uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example", "ajones", OUTSIDE),
        ("Mary Brown", "mbrown", NOBODY),
    ]);
}

#[test]
fn an_address_without_its_domain() {
    let world = World::with_names("names: fewer, default_domain: renovations.example");
    world.opens(&[
        ("alan.jones", "ajones", "mail"),
        ("ALAN.JONES", "ajones", "mail"),
        ("ann.smith@renovations.example", "asmith", "mail"),
        // Short name and address of the same person are no two people.
        ("jmueller", "jmueller", "short_name"),
        ("Alan Jones", "ajones", "common_name"),
    ]);
    // One's address without domain is nobody's short name here; an address of another domain stays one.
    world.refuses(&[("nobody", "ajones", NOBODY), ("alan.jones@elsewhere.example", "ajones", NOBODY)]);

    let only_mail = World::with_names("names: [mail], default_domain: renovations.example");
    only_mail.opens(&[("mary.brown.production", "mbrown2", "mail"), ("jmueller", "jmueller", "mail")]);
    only_mail.refuses(&[
        ("ajones", "ajones", NOBODY),
        ("Alan Jones", "ajones", NOBODY),
        ("UID=ajones", "ajones", OUTSIDE),
    ]);
}

/// More namesakes than we ask for, or than the server gives, end a search with the size limit's result code, which is no
/// failure of the directory: whoever is meant, it is not one person.
#[test]
fn more_namesakes_than_a_search_gives() {
    let mut crowd = ldif();
    for number in 1..=6 {
        write!(
            crowd,
            "\ndn: uid=same{number},ou=Sales,ou=people,dc=renovations,dc=example\nobjectClass: inetOrgPerson\n\
             uid: same{number}\ncn: Sam Same\nsn: Same\nuserPassword: password {number}\n"
        )
        .unwrap();
    }
    for size_limit in [0, 2] {
        let slapd = Slapd::start_with(&crowd, &Options { size_limit, ..Options::default() });
        let world = World::before(slapd, "names: more", |_| {});
        for login in ["Sam Same", "CN=sam same", "Same"] {
            world.refuses_with(login, "password 1", "ambiguous: ");
        }
    }
}
