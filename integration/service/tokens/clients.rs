//! Clients that people really use, with tokens: curl, mpop, and Python's poplib.

use std::process::Command;

use serde_json::json;

use super::site::{MAIL, World};
use crate::support::process::output;

/// What a client wrote; a failure to start it names the Debian package.
fn told(command: &mut Command) -> (bool, String) {
    let run = output(command, "");
    let text = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    (run.status.success(), text)
}

fn curl(world: &World, stls: bool, token: &str) -> Command {
    let (scheme, port) = if stls { ("pop3", world.service.pop3()) } else { ("pop3s", world.service.pop3s()) };
    let mut curl = Command::new("curl");
    curl.args(["--disable", "--silent", "--show-error", "--ssl-reqd", "--user", MAIL]);
    curl.args(["--oauth2-bearer", token]);
    curl.arg("--cacert").arg(world.site.authority()).arg(format!("{scheme}://localhost:{}/1", port.port()));
    curl
}

/// With a token curl takes OAUTHBEARER wherever it is offered, whatever mechanism it was told to take.
#[test]
fn curl_logs_in() {
    let world = World::new();
    for stls in [false, true] {
        let (_, text) = told(&mut curl(&world, stls, &world.token()));
        assert!(text.contains("Subject: mail of ajones"), "{stls}: {text}");
    }
    world.service.wait_for_logs(&[" event=login person=\"ajones\"", "mechanism=OAUTHBEARER proof=\"token\""], 2);
    // It answers the challenge, and tells that the login was denied.
    let (fine, text) = told(&mut curl(&world, false, &world.token_with(&json!({ "exp": 5 }))));
    assert!(!fine && text.contains("(67)"), "{text}");
    world.service.wait_for_log(&["login refused", "token expired", "mechanism=OAUTHBEARER"]);
}

/// Of a big token curl sends nothing with the command, as RFC 5034 §4 has it.
#[test]
fn curl_sends_a_big_token() {
    let world = World::new();
    let token = world.token_with(&json!({ "groups": "x".repeat(6_000) }));
    let (_, text) = told(&mut curl(&world, false, &token));
    assert!(text.contains("Subject: mail of ajones"), "{text}");
}

fn mpop(world: &World, mechanism: &str, token: &str) -> Command {
    use std::os::unix::fs::PermissionsExt;
    let folder = world.site.folder();
    for part in ["kept", "kept/new", "kept/cur", "kept/tmp"] {
        std::fs::create_dir_all(folder.join(part)).unwrap();
    }
    let (file, password) = (folder.join("mpoprc"), folder.join("token"));
    std::fs::write(&password, token).unwrap();
    let text = format!(
        "account default\nhost localhost\nport {}\nauth {mechanism}\nuser \"{MAIL}\"\npasswordeval \"cat {}\"\ntls on\n\
         tls_starttls off\ntls_trust_file {}\nkeep on\ndelivery maildir {}\nuidls_file {}\n",
        world.service.pop3s().port(),
        password.display(),
        world.site.authority().display(),
        folder.join("kept").display(),
        folder.join(format!("uidls-{mechanism}")).display()
    );
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut command = Command::new("mpop");
    command.arg("--file").arg(file);
    command
}

#[test]
fn mpop_logs_in_by_both_mechanisms() {
    let world = World::new();
    for (mechanism, logged) in [("oauthbearer", "OAUTHBEARER"), ("xoauth2", "XOAUTH2")] {
        let (fine, text) = told(&mut mpop(&world, mechanism, &world.token()));
        assert!(fine, "{mechanism}: {text}");
        let (person, mechanism_logged) =
            (" event=login person=\"ajones\"", format!("mechanism={logged} proof=\"token\""));
        world.service.wait_for_log(&[person, &mechanism_logged]);
        let (fine, text) = told(&mut mpop(&world, mechanism, &world.token_with(&json!({ "exp": 5 }))));
        assert!(!fine, "{text}");
        world.service.wait_for_log(&["login refused", "token expired", &format!("mechanism={logged}")]);
    }
    let kept = std::fs::read_dir(world.site.folder().join("kept/new")).unwrap().count();
    assert_eq!(kept, 2, "one message each time, with a memory of its own");
}

/// poplib has no SASL of its own; scripts do it with its commands.
const SCRIPT: &str = r"
import base64, poplib, ssl, sys
port, authority, name, token = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
client = poplib.POP3_SSL('localhost', int(port), context=context)
assert 'XOAUTH2' in client.capa()['SASL'] and 'OAUTHBEARER' in client.capa()['SASL']
client._shortcmd('AUTH XOAUTH2 ' + base64.b64encode(('user=%s\1auth=Bearer %s\1\1' % (name, token)).encode()).decode())
print(b'\n'.join(client.retr(1)[1]).decode())
client.quit()
";

#[test]
fn a_script_logs_in_by_poplib() {
    let world = World::new();
    let mut python = Command::new("python3");
    python.args(["-I", "-c", SCRIPT]).arg(world.service.pop3s().port().to_string());
    let (fine, text) = told(python.arg(world.site.authority()).arg(MAIL).arg(world.token()));
    assert!(fine && text.contains("Subject: mail of ajones"), "{text}");
}
