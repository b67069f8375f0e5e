//! The JSON Schema of the configuration: editors accept what the service accepts, and mark what it rejects.

use std::fs;
use std::path::Path;

use restante::demo::{Demo, Ports};
use serde_json::{Value, json};

use super::generated;
use crate::support::examples::yaml_examples;
use crate::support::process::{output, program};

/// Judges documents as editors do, by python3-jsonschema: for each, its mistakes.
const JUDGE: &str = "
import json, sys, jsonschema
given = json.load(sys.stdin)
jsonschema.Draft7Validator.check_schema(given['schema'])
validator = jsonschema.Draft7Validator(given['schema'])
def told(error):
    inner = [told(e) for e in error.context or []]
    return '/'.join(map(str, error.absolute_path)) + ': ' + error.message + ''.join(' [' + i + ']' for i in inner)
print(json.dumps([[told(e) for e in validator.iter_errors(d)] for d in given['documents']]))
";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn document(yaml: &str) -> Value {
    let options = serde_yaml::options! { strict_booleans: true, leading_zero_numbers_as_strings: true };
    serde_yaml::from_str_with_options(yaml, options).unwrap_or_else(|fault| panic!("{fault}\n{yaml}"))
}

/// The mistakes in each document.
fn judged(documents: &[Value]) -> Vec<Vec<String>> {
    let schema: Value = serde_json::from_str(&generated(&["schema"])).unwrap();
    let input = json!({ "schema": schema, "documents": documents }).to_string();
    let output = output(program("python3").args(["-c", JUDGE]), &input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_schema_in_the_repository_is_that_of_the_program() {
    let kept = fs::read_to_string(root().join("config/restante.schema.json")).unwrap();
    let hint = "run: cargo run -- generate schema > config/restante.schema.json";
    assert!(kept == generated(&["schema"]), "config/restante.schema.json is not up to date; {hint}");
}

#[test]
fn the_reference_and_all_examples_are_valid() {
    let guide = fs::read_dir(root().join("config/guide")).unwrap().map(|entry| entry.unwrap().path());
    let texts = guide.chain([root().join("README.md")]).map(|file| fs::read_to_string(file).unwrap());
    let mut documents: Vec<Value> = texts.flat_map(|text| yaml_examples(&text)).map(|text| document(&text)).collect();
    assert!(documents.len() > 5, "{}", documents.len());
    for example in &mut documents {
        // What examples leave out, since they are about something else.
        let directories = json!([{ "urls": ["ldaps://ldap.example.org"], "base": "o=example" }]);
        let directories = example.as_object_mut().unwrap().entry("directories").or_insert(directories);
        for directory in directories.as_array_mut().unwrap() {
            directory.as_object_mut().unwrap().entry("base").or_insert("o=example".into());
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::lay_out(folder.path(), Ports::default()).unwrap();
    let files = ["config/restante.yaml", "config/debian/restante.yaml"].map(|file| root().join(file));
    for file in files.into_iter().chain([demo.configuration()]) {
        documents.push(document(&fs::read_to_string(file).unwrap()));
    }
    for (document, mistakes) in documents.iter().zip(judged(&documents)) {
        assert_eq!(mistakes, Vec::<String>::new(), "{document:#}");
    }
}

#[test]
fn each_way_to_write_a_value_is_valid() {
    let documents = [
        "mailboxes: { deletion: remove, marker: [.mounted, other/.mounted] }",
        "mailboxes: { deletion: { keep_for: 14d }, marker: .mounted }",
        "internet_authentication: { names: more }",
        "internet_authentication: { names: [mail, short_name] }",
        "limits: { connections: \"100\", command_line: 64KiB, idle: }",
        "lockout:",
        "uidl: { import: off }",
        "tokens: [{ issuer: a, audience: b, keys: [c], algorithms: [EdDSA], claim: sub, name: mail }]",
    ];
    let documents: Vec<Value> = documents.iter().map(|text| document(&format!("{text}\n{DIRECTORIES}"))).collect();
    for (document, mistakes) in documents.iter().zip(judged(&documents)) {
        assert_eq!(mistakes, Vec::<String>::new(), "{document:#}");
    }
}

const DIRECTORIES: &str = "directories: [{ urls: [ldaps://ldap.example.org], base: o=example }]\n";

#[test]
fn wrong_keys_and_values_are_marked_at_their_place() {
    let wrong = [
        ("limits: { idel: 10m }", "limits: ", "'idel' was unexpected"),
        ("listener: []", ": ", "'listener' was unexpected"),
        ("listeners: [{ address: \"[::]:110\" }]", "listeners: ", "'tls' is a required property"),
        ("listeners: [{ address: \"[::]:110\", tls: sometimes }]", "listeners: ", "'sometimes' is not one of"),
        ("tls: { certificates: [{ chain: a.pem, key: }] }", "tls: ", "None is not of type 'string'"),
        ("cache: { found: 5 }", "cache: ", "5 is not of type 'string'"),
        ("cache: { found: 5 minutes }", "cache: ", "does not match"),
        ("lockout: { person: 20000 }", "lockout: ", "20000 is greater than the maximum"),
        ("limits: { command_line: 64kB }", "limits: ", "does not match"),
        ("expire: { also_unretrieved: \"yes\" }", "expire: ", "'yes' is not of type 'boolean'"),
        ("mailboxes: { deletion: keep }", "mailboxes: ", "'keep' is not one of ['remove']"),
        ("internet_authentication: { names: [nickname] }", "internet_authentication: ", "'nickname' is not one of"),
        ("uidl: { precedence: [cyrus] }", "uidl: ", "'cyrus' is not one of"),
        ("admin: /run/restante/admin.sock", "admin: ", "is not of type 'object'"),
    ];
    let mut documents: Vec<Value> =
        wrong.iter().map(|(text, ..)| document(&format!("{text}\n{DIRECTORIES}"))).collect();
    documents.push(document("hostname: mail.example.org"));
    let judged = judged(&documents);
    for ((text, place, what), mistakes) in wrong.iter().zip(&judged) {
        assert!(
            mistakes.len() == 1 && mistakes[0].starts_with(place) && mistakes[0].contains(what),
            "{text}: {mistakes:?}"
        );
    }
    assert!(judged.last().unwrap()[0].contains("'directories' is a required property"), "{:?}", judged.last());
}

#[test]
fn keys_are_described_as_in_the_reference() {
    let schema: Value = serde_json::from_str(&generated(&["schema"])).unwrap();
    let idle = &schema["properties"]["limits"]["anyOf"][0]["properties"]["idle"];
    let told = idle["description"].as_str().unwrap();
    assert!(told.starts_with("Time between two commands of a client that has logged in."), "{told}");
    assert_eq!(idle["default"], "10m");
}
