//! The keys of an issuer, as read from its files.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use jsonwebtoken::Algorithm;

use super::key::VerificationKey;
use super::{jwks, pem};

/// Which file is wrong, and a sentence: what is wrong, and what is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFault {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub what: String,
}

/// The largest file; a JWK set of many keys with certificate chains is smaller.
const LARGEST: u64 = 1024 * 1024;

/// The most keys of an issuer: a token that names no key is tried with all of them.
const MOST: usize = 64;

/// Reads all keys for these algorithms from some files.
pub(super) fn read(files: &[PathBuf], configured: &[Algorithm]) -> Result<Vec<VerificationKey>, KeyFault> {
    let mut keys = Vec::new();
    for file in files {
        let fault = |what| KeyFault { file: file.clone(), what };
        keys.extend(read_file(file, configured).map_err(fault)?);
        if keys.len() > MOST {
            return Err(fault(format!(
                "makes more than {MOST} keys of one issuer; expected only those that it signs with now"
            )));
        }
    }
    Ok(keys)
}

/// A JWK set is a JSON object; everything else should be PEM.
fn read_file(file: &Path, configured: &[Algorithm]) -> Result<Vec<VerificationKey>, String> {
    const RIGHT: &str = "expected a file of public keys, PEM or a JWK set";
    let mut octets = Vec::new();
    let read = File::open(file).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut octets));
    read.map_err(|fault| format!("cannot be read: {fault}; {RIGHT}"))?;
    if octets.len() as u64 > LARGEST {
        return Err(format!("is larger than 1 MiB; {RIGHT}"));
    }
    let text = str::from_utf8(&octets).map_err(|_| format!("is not UTF-8; {RIGHT}"))?;
    if text.trim_start().starts_with('{') { jwks::keys(text, configured) } else { pem::keys(text, configured) }
}
