//! The alert rules and the dashboard of `config/monitoring`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::metrics::busy;
use super::{get, http_address};
use crate::support::process::{output, program};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/monitoring")
}

#[test]
fn promtool_accepts_the_alert_rules_and_their_tests_pass() {
    for (command, file) in [("check", "alerts.yaml"), ("test", "alerts.test.yaml")] {
        let ended = output(program("promtool").args([command, "rules", file]).current_dir(folder()), "");
        let said = String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap();
        assert!(ended.status.success() && said.contains("SUCCESS"), "{said}");
    }
}

#[test]
fn every_alert_has_a_test() {
    let rules = fs::read_to_string(folder().join("alerts.yaml")).unwrap();
    let tests = fs::read_to_string(folder().join("alerts.test.yaml")).unwrap();
    let alerts: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert_eq!(alerts.len(), 10);
    for alert in alerts {
        assert!(tests.contains(&format!("alertname: {alert}\n")), "{alert} is never expected");
    }
}

/// A metric that is renamed leaves no empty panel and no alert that never fires.
#[test]
fn dashboard_alerts_and_guide_name_the_metrics_that_there_are() {
    let stage = busy();
    let metrics = get(http_address(&stage.service), "/metrics").body;
    let there: BTreeSet<&str> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .map(|name| name.trim_end_matches("_total"))
        .collect();
    assert!(there.len() > 20, "{there:?}");
    let guide = folder().join("../guide/monitoring.md");
    for file in [folder().join("alerts.yaml"), folder().join("dashboard.json"), guide.clone()] {
        let text = fs::read_to_string(&file).unwrap();
        let named = named(&text);
        let unknown: Vec<&String> = named.iter().filter(|name| !there.contains(name.as_str())).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", file.display());
        if file == guide || file.ends_with("dashboard.json") {
            let missing: Vec<&&str> = there.iter().filter(|name| !named.contains(**name)).collect();
            assert!(missing.is_empty(), "{}: {missing:?}", file.display());
        }
    }
}

fn named(text: &str) -> BTreeSet<String> {
    let is_part = |character: char| character.is_ascii_lowercase() || character == '_';
    let words = text.split(|character| !is_part(character)).filter(|word| word.starts_with("restante_"));
    words.map(|word| word.trim_end_matches("_total").trim_end_matches("_bucket").to_owned()).collect()
}

#[test]
fn the_dashboard_is_json_that_grafana_can_import() {
    let text = fs::read_to_string(folder().join("dashboard.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() > 10);
    let ids: BTreeSet<i64> = panels.iter().map(|panel| panel["id"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
    for panel in panels {
        assert!(panel["title"].is_string() && panel["gridPos"]["w"].is_i64() && panel["targets"].is_array(), "{panel}");
    }
}
