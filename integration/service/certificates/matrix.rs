//! Every policy of a port, every certificate, every password; with TLS from the first octet and after STLS.

use std::time::{Duration, SystemTime};

use super::{World, mechanisms, opened};
use crate::support::certificates::{ClientAuthority, ClientCertificate, Request, is_served};

/// What a password row may hold: the right one, a wrong one, another person's name and password, none but the certificate.
const ALAN: (&str, &str) = ("ajones", "violet-harbour-17");
const WRONG: (&str, &str) = ("ajones", "not the password");
const OTHER: (&str, &str) = ("alamb", "seven green lamps");

/// Whose mail opens; `no` is `[AUTH]`, `-` a mechanism that is not offered, `cut` a handshake that fails.
type Row = (&'static str, [&'static str; 4]);

const CUT: [&str; 4] = ["cut", "cut", "cut", "cut"];

/// Rows: the certificate. Columns: right password, wrong password, another one's name and password, no password.
const MATRIX: [((&str, &str), [Row; 6]); 5] = [
    (("none", "required"), {
        const ANY: [&str; 4] = ["ajones", "no", "alamb", "-"];
        [("absent", ANY), ("own", ANY), ("foreign", ANY), ("revoked", ANY), ("expired", ANY), ("nobody's", ANY)]
    }),
    (("optional", "required"), {
        const PASSWORD: [&str; 4] = ["ajones", "no", "alamb", "-"];
        [
            ("absent", PASSWORD),
            ("own", ["ajones", "no", "no", "-"]),
            ("foreign", PASSWORD),
            ("revoked", PASSWORD),
            ("expired", PASSWORD),
            ("nobody's", PASSWORD),
        ]
    }),
    (("optional", "optional"), {
        const PASSWORD: [&str; 4] = ["ajones", "no", "alamb", "-"];
        [
            ("absent", PASSWORD),
            ("own", ["ajones", "no", "no", "ajones"]),
            ("foreign", PASSWORD),
            ("revoked", PASSWORD),
            ("expired", PASSWORD),
            ("nobody's", ["ajones", "no", "alamb", "no"]),
        ]
    }),
    (
        ("required", "required"),
        [
            ("absent", CUT),
            ("own", ["ajones", "no", "no", "-"]),
            ("foreign", CUT),
            ("revoked", CUT),
            ("expired", CUT),
            ("nobody's", ["no", "no", "no", "-"]),
        ],
    ),
    (
        ("required", "optional"),
        [
            ("absent", CUT),
            ("own", ["ajones", "no", "no", "ajones"]),
            ("foreign", CUT),
            ("revoked", CUT),
            ("expired", CUT),
            ("nobody's", ["no", "no", "no", "no"]),
        ],
    ),
];

/// Certificates with Alan's key, and one with his name alone.
struct Certificates {
    foreign: ClientCertificate,
    revoked: ClientCertificate,
    expired: ClientCertificate,
    nobodys: ClientCertificate,
}

impl Certificates {
    fn new(world: &World) -> Self {
        let (authority, key) = (&world.authority, &world.own.key);
        let alan = || Request::named("Alan Jones");
        let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
        Self {
            foreign: ClientAuthority::new("Somebody").sign_key(alan(), key),
            revoked: authority.sign_key(alan().numbered(2), key),
            expired: authority.sign_key(alan().numbered(3).until(an_hour_ago), key),
            nobodys: authority.sign(alan().numbered(4)),
        }
    }

    fn get<'c>(&'c self, name: &str, world: &'c World) -> Option<&'c ClientCertificate> {
        match name {
            "own" => Some(&world.own),
            "foreign" => Some(&self.foreign),
            "revoked" => Some(&self.revoked),
            "expired" => Some(&self.expired),
            "nobody's" => Some(&self.nobodys),
            _ => None,
        }
    }
}

#[test]
fn every_cell_is_as_the_policy_says() {
    let world = World::new();
    let certificates = Certificates::new(&world);
    for (policy, rows) in MATRIX {
        for (name, cells) in rows {
            let certificate = certificates.get(name, &world);
            for stls in [false, true] {
                let seen = [Some(ALAN), Some(WRONG), Some(OTHER), None]
                    .map(|password| cell(&world, policy, stls, certificate, password));
                assert_eq!(seen, cells, "{policy:?}, stls {stls}, certificate {name}");
            }
        }
    }
    the_log_has_the_reasons(&world);
}

/// What one client meets.
fn cell(
    world: &World,
    policy: (&str, &str),
    stls: bool,
    certificate: Option<&ClientCertificate>,
    password: Option<(&str, &str)>,
) -> String {
    let tls = world.tls(certificate);
    if !is_served(world.port(policy, stls), stls, &tls) {
        return "cut".to_owned();
    }
    let mut client = world.connect(policy, stls, &world.tls(certificate));
    if let Some((name, password)) = password {
        client.ask(&format!("USER {name}"), "+OK");
        client.send(&format!("PASS {password}"));
    } else {
        let is_offered = mechanisms(&mut client).ends_with(" EXTERNAL");
        client.send("AUTH EXTERNAL =");
        if !is_offered {
            client.expect("-ERR EXTERNAL requires a client certificate that is accepted here");
            return "-".to_owned();
        }
    }
    match opened(&mut client) {
        Ok(owner) => owner,
        Err(refusal) => {
            assert_eq!(refusal, "-ERR [AUTH] name or password is wrong");
            "no".to_owned()
        }
    }
}

fn the_log_has_the_reasons(world: &World) {
    let of_alan = "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example";
    for words in [
        [
            "event=login person=\"ajones\"",
            "kind=\"certificate\" certificate=\"CN=Alan Jones\" mechanism=EXTERNAL proof=\"certificate\"",
        ],
        [
            "event=login person=\"ajones\"",
            "kind=\"short_name\" certificate=\"CN=Alan Jones\" mechanism=USER proof=\"bind\"",
        ],
        ["event=login_refused person=\"alamb\"", &format!("reason=\"the certificate is another person's: {of_alan}")],
        ["login refused", &format!("reason=\"no person found for the certificate: its key is not in {of_alan}")],
        ["client certificate ignored", "the client's certificate is not signed by an authority in tls.client_ca"],
        ["client certificate ignored", "the client's certificate is revoked"],
        ["client certificate ignored", "the client's certificate has expired"],
        ["connection ended", "TLS handshake failed: the client sent no certificate"],
        ["connection ended", "TLS handshake failed: the client's certificate is not signed by an authority in"],
        ["connection ended", "TLS handshake failed: the client's certificate is revoked"],
        ["connection ended", "TLS handshake failed: the client's certificate has expired"],
    ] {
        world.service.wait_for_log(&words);
    }
}

/// A password in clear would pass by the certificate: where one is required, none is taken before TLS.
#[test]
fn nothing_is_taken_in_clear_where_a_certificate_is_required() {
    let world = World::new();
    let mut client = super::Conversation::plain(world.port(("required", "optional"), true));
    client.expect("+OK");
    client.ask("USER ajones", "-ERR passwords are accepted under TLS only: send STLS first");
    client.ask("AUTH EXTERNAL =", "-ERR EXTERNAL requires a client certificate that is accepted here");
}
