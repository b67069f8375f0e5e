//! `scram`: the challenges for names without SCRAM credentials.

use super::paths::Base;
use super::section::Section;
use crate::directory;
use crate::identity::ScramSettings;

/// The shortest secret, in octets, that cannot be guessed.
const SHORTEST_KEY: usize = 16;

/// The settings of the decoy credentials.
pub(super) fn read(root: &Section<'_>, base: &Base) -> ScramSettings {
    let (section, default) = (root.section("scram"), ScramSettings::default());
    let iterations = section.count("iterations", default.iterations.into(), 1..=10_000_000);
    let salt_octets = section.count("salt_octets", default.salt_octets as u64, 8..=32);
    let key = section.parsed("key_file", |path| {
        let key = base.password(path)?;
        if key.expose().len() < SHORTEST_KEY {
            return Err(format!(
                "the first line is too short to be a secret; expected {SHORTEST_KEY} octets or more, such as \
                 `openssl rand -hex 32` writes"
            ));
        }
        Ok(key)
    });
    ScramSettings {
        iterations: u32::try_from(iterations).unwrap_or(default.iterations),
        salt_octets: usize::try_from(salt_octets).unwrap_or(default.salt_octets),
        key,
    }
}

/// Reports a key for decoy credentials that has no effect.
pub(super) fn want_attribute(root: &Section<'_>, directories: Option<&[directory::Settings]>) {
    let section = root.section("scram");
    let is_offered = directories.is_none_or(|all| all.iter().any(|directory| directory.attributes.scram.is_some()));
    if section.get("key_file").is_some() && !is_offered {
        let what = "has no effect where no directory has attributes.scram; expected that key as well, or neither";
        section.fault("key_file", section.place_of("key_file"), what);
    }
}
