//! Sending mail with the same names and passwords, by a real mail program over real mail transfer agents, which are
//! configured as the guide says; nothing about people is entered anywhere but in the directory.

mod bearer;
mod bounds;
mod exim;
mod outage;
mod pop_before_smtp;
mod postfix;
mod tables;

use crate::support::login::log_in;
use crate::support::service::Service;
use crate::support::submission::{LAMB, Sending};
use crate::support::submission_exim::{OWN_ID, SubmissionExim};
use crate::support::submission_postfix::{SubmissionPostfix, own_group};

/// Restante and Postfix, with further lines of Restante's configuration and of `main.cf`.
fn postfix(further: &str, main: &str) -> (SubmissionPostfix, Sending) {
    let sending = Sending::to_group(own_group(), further);
    (SubmissionPostfix::serve(&sending, main), sending)
}

/// Restante and Exim, with further lines of Restante's configuration.
fn exim(further: &str) -> (SubmissionExim, Sending) {
    let sending = Sending::to_group(OWN_ID, further);
    (SubmissionExim::serve(&sending), sending)
}

/// The only message of `alamb`, fetched over POP3.
fn fetched_by_lamb(service: &Service) -> String {
    let mut client = service.session(LAMB.0, LAMB.1);
    client.ask("STAT", "+OK 1 ");
    client.ask("RETR 1", "+OK");
    let message = String::from_utf8(client.message()).unwrap();
    client.ask("QUIT", "+OK");
    message
}

/// Logs in over POP3 and must be refused.
fn is_refused_by_pop3(service: &Service, (name, password): (&str, &str)) {
    let refusal = log_in(service, name, password).expect_err(name);
    assert!(refusal.starts_with("-ERR [AUTH] "), "{refusal}");
}
