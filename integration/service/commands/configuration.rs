//! `restante config`, and where every command finds the configuration.

use std::fs;

use crate::support::process::output;
use crate::support::service::restante;
use crate::support::stage::Stage;

#[test]
fn the_configuration_is_printed_without_its_defaults_and_is_one_itself() {
    let stage = Stage::set("cache: { found: 5m, missed: 20s }\nadmin: { http: \"unix:http.sock\" }\n", &[]);
    let printed = stage.command(&["config"]);
    assert!(printed.starts_with(&format!("# restante {}: ", env!("CARGO_PKG_VERSION"))), "{printed}");
    assert!(printed.contains("cache:\n  missed: 20s\n") && !printed.contains("found:"), "{printed}");
    // A relative path counts from the file's folder, also behind `unix:`.
    let socket = format!("unix:{}", stage.site.folder().join("http.sock").display());
    assert!(printed.contains(&socket), "no {socket} in {printed}");
    let password = fs::read_to_string(stage.site.folder().join("ldap.password")).unwrap();
    for words in [&["config"][..], &["config", "--all"]] {
        let printed = stage.command(words);
        assert!(!printed.contains(password.trim()), "{printed}");
        let elsewhere = tempfile::tempdir().unwrap();
        let file = elsewhere.path().join("printed.yaml");
        fs::write(&file, &printed).unwrap();
        let again = output(restante().args(words).arg("-c").arg(&file), "");
        assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
        let without_first = |text: &str| text.split_once('\n').unwrap().1.to_owned();
        assert_eq!(without_first(&String::from_utf8(again.stdout).unwrap()), without_first(&printed));
        let checked = output(restante().arg("check").arg("-c").arg(&file), "");
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    }
}

#[test]
fn mistakes_are_reported_in_place_of_the_configuration() {
    let stage = Stage::set("", &[]);
    let file = stage.site.folder().join("wrong.yaml");
    fs::write(&file, stage.plan.yaml() + "cash: {}\n").unwrap();
    let ended = output(restante().args(["config", "-c"]).arg(&file), "");
    assert_eq!((ended.status.code(), ended.stdout.len()), (Some(78), 0));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("\"cash\" is an unknown key; did you mean cache?"));
}

#[test]
fn the_variable_names_the_configuration_unless_the_command_line_does() {
    let stage = Stage::set("", &[]);
    let (file, none) = (stage.site.folder().join("restante.yaml"), stage.site.folder().join("none.yaml"));
    for words in [&["config"][..], &["check"], &["resolve", "ajones"], &["audit"]] {
        let by = |variable: &std::path::Path, option: &[&std::ffi::OsStr]| {
            output(restante().args(words).args(option).env("RESTANTE_CONFIG", variable), "").status.code()
        };
        assert_eq!(by(&none, &[]), Some(78), "{words:?}");
        for option in ["-c", "--config"] {
            assert_ne!(by(&none, &[option.as_ref(), file.as_ref()]), Some(78), "{words:?}");
        }
        assert_ne!(by(&file, &[]), Some(78), "{words:?}");
    }
}

#[test]
fn a_missing_configuration_is_reported_with_the_ways_to_name_it() {
    let ended = output(restante().arg("serve").env("RESTANTE_CONFIG", "/srv/none/restante.yaml"), "");
    let complaint = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(78), "{complaint}");
    for part in
        ["/srv/none/restante.yaml: cannot be read", "--config FILE", "RESTANTE_CONFIG", "/etc/restante/restante.yaml"]
    {
        assert!(complaint.contains(part), "{part} in {complaint}");
    }
    let help = String::from_utf8(output(restante().args(["serve", "--help"]), "").stdout).unwrap();
    for part in ["-c, --config <FILE>", "[env: RESTANTE_CONFIG=]", "[default: /etc/restante/restante.yaml]"] {
        assert!(help.contains(part), "{part} in {help}");
    }
}
