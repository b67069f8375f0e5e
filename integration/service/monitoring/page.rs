//! The status page in a real browser.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use restante::admin::{ConfigurationKeys, HttpAddress, HttpListener, RunningConfiguration, ServiceView, Startup};
use restante::config::{self, Configuration};
use restante::confinement::Confinement;
use restante::current::Current;
use restante::directory::Directory;
use restante::identity::IdentityMap;
use restante::ledger::{Ledger, OwnCertificate};

use super::{ADMIN, get, http_address};
use crate::support::process::{output, program};
use crate::support::service::{Plan, Site};
use crate::support::stage::Stage;

/// Runs the browser without a window, with a profile of its own; gives what it wrote to standard output.
fn browse(folder: &Path, address: SocketAddr, options: &[&str]) -> String {
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let usual = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", &profile];
    let mut browser = program("chromium");
    browser.env("HOME", folder).args(usual).args(options).arg(format!("http://{address}/"));
    let ended = output(&mut browser, "");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).unwrap()
}

#[test]
fn a_browser_shows_every_part_of_the_page() {
    let stage = Stage::set(ADMIN, &[("cur/1.a", b"a\n")]);
    let address = http_address(&stage.service);
    let _client = stage.session();
    let mut guesser = stage.client();
    guesser.ask("USER ajones", "+OK");
    guesser.ask("PASS wrong", "-ERR [AUTH]");
    let shown = browse(stage.site.folder(), address, &["--dump-dom"]);
    for heading in
        ["Last hour", "Sessions", "Directories", "Certificates", "Caches", "Slowest maildrops", "Noisiest addresses"]
    {
        assert!(shown.contains(&format!("<h2>{heading}</h2>")), "{heading}: {shown}");
    }
    for words in [
        "Logins: 1 in the last hour",
        "Refused logins: 1 in the last hour",
        "<td>ajones</td>",
        "<td>transaction</td>",
        "<td class=\"good\">in use</td>",
        "ajones/Maildir",
        "127.0.0.1</th><td>1</td>",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    // In the width of a phone nothing but the tables themselves is wider than the page.
    let picture = stage.site.folder().join("page.png");
    let screenshot = format!("--screenshot={}", picture.display());
    browse(stage.site.folder(), address, &[&screenshot, "--window-size=360,2000", "--force-dark-mode"]);
    assert!(fs::metadata(&picture).unwrap().len() > 10_000);
}

#[test]
fn the_page_has_no_script_and_a_structure_for_screen_readers() {
    let stage = Stage::set(ADMIN, &[]);
    let answer = get(http_address(&stage.service), "/");
    for policy in ["default-src 'none'", "style-src 'unsafe-inline'", "frame-ancestors 'none'"] {
        assert!(answer.header.contains(policy), "{}", answer.header);
    }
    let page = answer.body;
    for loading in ["<script", "http-equiv", "src=", "url(", "@import", "<link"] {
        assert!(!page.contains(loading), "{loading}: {page}");
    }
    assert!(page.contains("<html lang=\"en\">") && page.contains("name=\"viewport\""));
    assert!(page.contains("color-scheme: light dark"));
    assert_eq!((page.matches("<h1>").count(), page.matches("<main>").count()), (1, 1));
    assert_eq!(page.matches("<svg").count(), page.matches("role=\"img\" aria-label=").count());
    assert_eq!(page.matches("<table").count(), page.matches("<caption").count());
    // What scrolls can be scrolled by keyboard.
    assert_eq!(page.matches("class=\"scroll\"").count(), page.matches("tabindex=\"0\"").count());
    assert!(!page.contains("<th>"), "every head says what it is the head of");
    let refreshing = get(http_address(&stage.service), "/?refresh").body;
    assert!(refreshing.contains("http-equiv=\"refresh\" content=\"10\""));
}

/// Names come from a directory, and a directory from many hands.
#[test]
fn no_name_becomes_markup() {
    let site = Site::new();
    let file = site.folder().join("restante.yaml");
    fs::write(&file, Plan::at("ldap://127.0.0.1:9").yaml()).unwrap();
    let Ok(configuration) = config::load(&file) else { panic!("the configuration is wrong") };
    let Configuration { identity, directories, .. } = configuration;
    let hostile = "</td><script>document.title='x'</script><b class=\"stolen\">";
    let ledger = Arc::new(Ledger::default());
    let session = ledger.sessions.register(hostile.to_owned(), "192.0.2.7:1".parse().unwrap(), hostile.into());
    session.set_person(Some(hostile));
    ledger.last_hour.note_scan(std::time::Duration::from_secs(1), hostile, || hostile.to_owned());
    ledger.set_certificates(vec![OwnCertificate {
        file: hostile.to_owned(),
        name: hostile.to_owned(),
        valid_until: std::time::SystemTime::now(),
    }]);
    let directories: Vec<Directory> = directories.into_iter().map(Directory::new).collect();
    let identities = Arc::new(IdentityMap::new(directories.clone(), identity).unwrap());
    let listener = HttpListener::bind(&HttpAddress::Tcp("127.0.0.1:0".parse().unwrap())).unwrap();
    let address = listener.address().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let read_again = Box::new(|| Ok(ConfigurationKeys::default()));
    let configuration = RunningConfiguration::new(hostile.into(), ConfigurationKeys::default(), read_again);
    let startup = Arc::new(Startup { configuration, confinement: Confinement::none(hostile) });
    let view = ServiceView { ledger, identities, directories, startup, back_ends: None };
    runtime.spawn(async move { listener.serve(Arc::new(Current::new(view))).await });
    let shown = browse(site.folder(), address, &["--dump-dom"]);
    assert!(shown.contains("<title>Restante: status</title>"), "{shown}");
    assert!(!shown.contains("<script") && !shown.contains("<b "), "{shown}");
    assert!(shown.matches("&lt;script&gt;document.title='x'&lt;/script&gt;").count() >= 6, "{shown}");
    drop(session);
}
