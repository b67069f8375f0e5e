//! The owner of a certificate. Each directory is asked by its own mapping, all at the same time.

use std::sync::Arc;

use super::answers::Answers;
use super::{Directories, describe_people};
use crate::certificate::Certificate;
use crate::directory::{self, CertificateMapping, Directory, Entry, Fault, SubjectNames};
use crate::identity::person::Identity;
use crate::identity::settings::Settings;
use crate::names::Dn;

/// A certificate that TLS has verified, on its way to the directories' filters.
#[derive(Clone, Copy)]
pub(crate) struct CertificateQuery<'a> {
    pub(crate) certificate: &'a Certificate,
    pub(crate) directories: &'a Directories,
    pub(crate) settings: &'a Settings,
}

/// The owner of a certificate.
#[derive(Clone)]
pub(crate) enum CertificateOwner {
    One(Arc<Identity>),
    /// Nobody's, and why.
    Nobody(Arc<str>),
    /// One of several people's, and it is unknown which; their DNs.
    Several(Vec<String>),
}

/// What the directories answer together.
#[derive(Default)]
pub(crate) struct CertificateAnswers {
    answers: Answers,
    /// Why entries that match its names do not belong to its owner.
    unfit: Vec<String>,
}

impl CertificateQuery<'_> {
    /// Asks each directory.
    pub(crate) async fn ask(self) -> CertificateAnswers {
        let ask = |directory: &Directory| {
            directory.candidates(claims(self.certificate, directory.settings().certificate_mapping))
        };
        let asked: Vec<_> = self.directories.iter().map(|directory| (directory.settings(), ask(directory))).collect();
        let mut answers = CertificateAnswers::default();
        for (of, pending) in asked {
            match pending.await {
                Ok(candidates) => answers.note(&candidates, self.certificate, of, self.settings),
                Err(fault) => answers.answers.note_fault(&of.name, self.directories.attributed(fault, &of.name)),
            }
        }
        answers
    }

    /// Whether the certificate counts as this person's because its subject is the entry's DN.
    pub(crate) fn is_by_dn_of(&self, owner: &Identity) -> bool {
        let mapping = self.directories.settings_of(&owner.id).map(|settings| settings.certificate_mapping);
        mapping == Some(CertificateMapping::Subject)
            && Dn::parse(&self.certificate.subject).is_some_and(|subject| subject.matches(&owner.dn))
    }
}

impl CertificateAnswers {
    /// If a directory returns more candidates than the limit, each of them may be the owner.
    fn note(&mut self, candidates: &[Entry], certificate: &Certificate, of: &directory::Settings, settings: &Settings) {
        let are_too_many = candidates.len() > usize::from(Directory::CANDIDATES);
        for entry in candidates {
            if let Some(misfit) = &entry.out_of_scope {
                self.unfit.push(format!("{} in {}: {misfit}", entry.dn, of.name));
            } else if are_too_many
                || of.certificate_mapping == CertificateMapping::Subject
                || has_key(entry, &of.attributes.certificate, certificate)
            {
                self.answers.people.push((Identity::found(entry, &of.attributes, settings), None));
            } else {
                self.unfit.push(format!("its key is not in {}", entry.dn));
            }
        }
    }

    /// Whether every directory has answered.
    pub(crate) fn are_complete(&self) -> bool {
        self.answers.are_complete()
    }

    /// See [`Answers::still`].
    pub(crate) fn still<'k>(&self, known: Option<&'k Arc<Identity>>) -> Option<&'k Arc<Identity>> {
        self.answers.still(known)
    }

    /// Its owner. If several people have it, it does not matter who else may.
    pub(crate) fn owner(mut self, known: Option<&Arc<Identity>>) -> Result<CertificateOwner, Fault> {
        let doubt = self.answers.doubt(known);
        match (self.answers.people.len(), doubt) {
            (0 | 1, Some(fault)) => return Err(fault),
            (0 | 1, None) => {}
            (2.., _) => {
                let people = describe_people(self.answers.people.iter().map(|(person, _)| person));
                return Ok(CertificateOwner::Several(people));
            }
        }
        Ok(match self.answers.people.pop() {
            Some((person, _)) => CertificateOwner::One(person),
            None if self.unfit.is_empty() => CertificateOwner::Nobody("no entry fits its subject".into()),
            None => CertificateOwner::Nobody(self.unfit.join("; ").into()),
        })
    }
}

/// Which names of a certificate's subject are used. With the key in the entry, every name is only a hint where to look;
/// without it, a common name would let in anybody of that name.
fn claims(certificate: &Certificate, mapping: CertificateMapping) -> SubjectNames {
    // A name of one part would be the root of a directory, and an empty one everybody's.
    let entry = Dn::parse(&certificate.subject).filter(|dn| dn.rdns().len() > 1);
    match mapping {
        CertificateMapping::Key => SubjectNames {
            entry,
            common_names: certificate.common_names.clone(),
            mails: certificate.mails.iter().chain(&certificate.subject_mails).cloned().collect(),
            principal_names: Vec::new(),
        },
        CertificateMapping::Subject => SubjectNames {
            entry,
            common_names: Vec::new(),
            mails: certificate.mails.clone(),
            principal_names: certificate.principal_names.clone(),
        },
    }
}

fn has_key(entry: &Entry, attribute: &str, certificate: &Certificate) -> bool {
    entry.octets(attribute).filter_map(|octets| Certificate::read(octets).ok()).any(|own| own.has_key_of(certificate))
}
