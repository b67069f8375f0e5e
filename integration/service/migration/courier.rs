//! From Courier.

use std::fs;

use super::{Moved, as_sent, assert_one_size, command, live, unique_ids};
use crate::support::courier::{Courier, PASSWORD};
use crate::support::service::Site;

#[test]
fn every_string_and_the_order_stay_and_each_size_is_explained() {
    let site = Site::new();
    let maildir = site.maildir("ajones");
    let courier = Courier::serve(&site);
    let before = live(&maildir, || courier.session("ajones"));
    assert!(before.iter().all(|message| message.unique_id.starts_with("UID")), "{:?}", unique_ids(&before));
    let with = format!("127.0.0.1:{}", courier.pop3().port());
    let words = ["compare", "--with", &with, "--tls", "none", "--json", "ajones"];
    let (_, told, complained) = command(&site, "import: read", &words, &format!("{PASSWORD}\n"));
    let told: serde_json::Value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{complained}"));
    assert_one_size(&told);
    assert!(!maildir.join("restante-pins").exists(), "compare pins nothing");
    let list = fs::read(maildir.join("courierpop3dsizelist")).unwrap();
    let moved = Moved::serve(&site, "import: read");
    assert_eq!(moved.seen(), as_sent(&before));
    drop(moved);
    assert_eq!(fs::read(maildir.join("courierpop3dsizelist")).unwrap(), list, "never written");
    fs::remove_file(maildir.join("courierpop3dsizelist")).unwrap();
    assert_eq!(Moved::serve(&site, "import: done").seen(), as_sent(&before));
}
