//! What `restante demo` lays out is a folder that `restante serve --config` takes as it stands.

use restante::config;
use restante::demo::people::{BASE, SERVICE};
use restante::demo::{Demo, Ports};

#[test]
fn the_configuration_of_the_demonstration_has_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Demo::lay_out(folder.path(), Ports::default()).unwrap();
    let configuration = config::load(&demo.configuration()).unwrap_or_else(|faults| panic!("{faults}"));
    let directory = configuration.directories[0].clone();
    assert_eq!(directory.base.as_str(), BASE);
    let bind = directory.bind.as_ref().unwrap();
    let embedded = demo.start_directory().unwrap();
    let bound = embedded.controls().change(|tree| tree.bind(bind.dn.as_str(), bind.password.expose()));
    assert_eq!(bound.unwrap().unwrap().as_str(), SERVICE);
}
