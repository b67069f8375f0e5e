//! Thunderbird reads the settings that `restante client-settings` writes for it, by its own code for such files.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use serde_json::{Value, json};

use super::machine::{Machine, Running};
use crate::support::process::output;
use crate::support::service::restante;
use crate::support::wait_until;

const PACKAGE: &str = "thunderbird";

/// What its account set-up does with a file that it has fetched.
const READ: &str = "
const { readFromXML } = ChromeUtils.importESModule('resource:///modules/accountcreation/readFromXML.sys.mjs');
const { JXON } = ChromeUtils.importESModule('resource:///modules/JXON.sys.mjs');
const document = new DOMParser().parseFromString(arguments[0], 'text/xml');
const { SSL, alwaysSTARTTLS } = Ci.nsMsgSocketType;
const config = readFromXML(JXON.build(document), 'test');
return { config: JSON.parse(JSON.stringify(config)), SSL, alwaysSTARTTLS };
";

/// Thunderbird without a window, driven over its remote protocol (Marionette).
struct Thunderbird {
    _running: Running,
    connection: TcpStream,
    calls: u32,
}

impl Thunderbird {
    fn start(machine: &Machine) -> Self {
        machine.write("profile/user.js", "user_pref(\"marionette.port\", 0);\n");
        let profile = machine.home().join("profile");
        let mut command = machine.client("thunderbird");
        command.args(["--headless", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile"]);
        let running = machine.start(command.arg(&profile).env("MOZ_HEADLESS", "1"), PACKAGE);
        let mut port: Option<u16> = None;
        wait_until("Thunderbird listens", || {
            port = fs::read_to_string(profile.join("MarionetteActivePort")).ok().and_then(|text| text.parse().ok());
            port.is_some()
        });
        let connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port.unwrap())).unwrap();
        let mut thunderbird = Self { _running: running, connection, calls: 0 };
        thunderbird.receive();
        thunderbird.call("WebDriver:NewSession", &json!({}));
        thunderbird.call("Marionette:SetContext", &json!({ "value": "chrome" }));
        thunderbird
    }

    fn call(&mut self, name: &str, parameters: &Value) -> Value {
        self.calls += 1;
        let message = json!([0, self.calls, name, parameters]).to_string();
        write!(self.connection, "{}:{message}", message.len()).unwrap();
        let reply = self.receive();
        assert_eq!(reply[2], Value::Null, "{name}: {reply:#}");
        reply[3].clone()
    }

    /// A message is its length, a colon, and JSON.
    fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut octet = [0];
            self.connection.read_exact(&mut octet).unwrap();
            match octet[0] {
                b':' => break,
                digit => length = length * 10 + usize::from(digit - b'0'),
            }
        }
        let mut message = vec![0; length];
        self.connection.read_exact(&mut message).unwrap();
        serde_json::from_slice(&message).unwrap()
    }

    fn read(&mut self, xml: &str) -> Value {
        self.call("WebDriver:ExecuteScript", &json!({ "script": READ, "args": [xml] }))["value"].take()
    }
}

/// The settings of the machine's person, as if the service had its ports on all addresses.
fn settings(machine: &Machine) -> String {
    let served = fs::read_to_string(machine.configuration()).unwrap();
    let public = served.replacen("127.0.0.1:0", "0.0.0.0:110", 1).replacen("127.0.0.1:0", "0.0.0.0:995", 1);
    let further = "client_settings: { smtp: { host: smtp.renovations.example, port: 587, tls: starttls } }\n\
                   expire: { after: 14d }\n";
    let file = machine.configuration().with_file_name("public.yaml");
    fs::write(&file, format!("{public}{further}")).unwrap();
    let mut command = restante();
    command.args(["client-settings", "--format", "thunderbird", "--config"]).arg(file);
    let output = output(command.arg(&machine.person.short_name), "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn takes_the_settings_written_for_it() {
    let machine = Machine::with("alamb", &[]);
    let settings = settings(&machine);
    let mut thunderbird = Thunderbird::start(&machine);
    let told = thunderbird.read(&settings);
    let (config, incoming) = (&told["config"], &told["config"]["incoming"]);
    assert_eq!((&config["id"], &config["domains"][0]), (&json!("renovations.example"), &json!("renovations.example")));
    for (key, value) in [
        ("type", json!("pop3")),
        ("hostname", json!("mail.renovations.example")),
        ("port", json!(995)),
        ("socketType", told["SSL"].clone()),
        ("username", json!("%EMAILADDRESS%")),
        ("leaveMessagesOnServer", json!(true)),
        ("daysToLeaveMessagesOnServer", json!(14)),
    ] {
        assert_eq!(incoming[key], value, "{key}: {config:#}");
    }
    let alternative = &config["incomingAlternatives"][0];
    assert_eq!((&alternative["port"], &alternative["socketType"]), (&json!(110), &told["alwaysSTARTTLS"]));
    let outgoing = &config["outgoing"];
    assert_eq!((&outgoing["hostname"], &outgoing["port"]), (&json!("smtp.renovations.example"), &json!(587)));
    assert_eq!(outgoing["socketType"], told["alwaysSTARTTLS"]);
}
