//! The maildrop of a session: opened, its unique-ids pinned, its messages sent.

use super::dispatch::Driver;
use super::login::refusal_delay;
use super::state::AcceptedLogin;
use super::translation::{not_opened, not_transmitted};
use crate::connection::maildrop::{OpenFault, OpenMaildrop};
use crate::connection::report::{CloseReason, SessionReport};
use crate::connection::wire::Transport;
use crate::identity::MailPlace;
use crate::maildir::{Expiry, MaildropPath};
use crate::pop3::{Event, Expire, Listing, Multiline, NotOpened, NotTransmitted, Part, Transmission};

impl<T: Transport> Driver<T> {
    /// Opens the maildrop here, or passes the session on; then the result is its end.
    pub(super) async fn open(&mut self, utf8: bool, report: &mut SessionReport) -> Result<Event, CloseReason> {
        let Some(AcceptedLogin { mail, password, expiry, began }) = self.login.take() else {
            return Ok(Event::NotOpened(NotOpened::Unavailable));
        };
        let fault = match mail {
            None => NotOpened::Forbidden,
            Some(MailPlace::Elsewhere(target)) => self.pass_on(&target, password, report).await?,
            Some(MailPlace::Here(path)) => match self.enter(&path, report, expiry, utf8).await {
                Ok((mail, listing)) => {
                    report.opened(&path, listing.totals().0, mail.is_missing());
                    self.maildrop = Some(mail);
                    return Ok(Event::Opened(listing, Expire::after(expiry.map(|expiry| expiry.days()))));
                }
                Err(OpenFault::InUse) => {
                    tracing::info!(
                        name: "maildrop_in_use",
                        person = report.person(), maildrop = path.to_string(),
                        "maildrop in use"
                    );
                    NotOpened::InUse
                }
                Err(OpenFault::Fault(fault)) => {
                    tracing::error!(
                        name: "maildrop_not_opened",
                        person = report.person(),
                        maildrop = path.to_string(),
                        reason = fault.to_string(),
                        "maildrop not opened"
                    );
                    not_opened(&fault)
                }
            },
        };
        report.logged_out();
        refusal_delay(began, self.service.settings.refusal_step, 0).await;
        Ok(Event::NotOpened(fault))
    }

    /// Sends a message block by block. A failure before the first octet is answered. A later one closes the connection
    /// without the final dot: a client would delete a truncated message that looks complete.
    pub(super) async fn transmit(
        &mut self,
        order: Transmission,
        report: &mut SessionReport,
    ) -> Result<Option<Event>, CloseReason> {
        let Some(mail) = &mut self.maildrop else { return Ok(Some(Event::NotTransmitted(NotTransmitted::Now))) };
        let mut reading = match mail.fetch(order.index).await {
            Ok(reading) => reading,
            Err(fault) => {
                let why = not_transmitted(&fault, order.index + 1, report.person());
                return Ok(Some(Event::NotTransmitted(why)));
            }
        };
        self.wire.message_begins();
        self.wire.out().extend(order.reply);
        let mut multiline = Multiline::new(order.part);
        loop {
            if multiline.passes(reading.octets()) {
                self.wire.share(reading.octets()).await?;
            } else {
                multiline.encode(reading.octets(), self.wire.out());
                self.wire.flush_block().await?;
            }
            report.sending(order.part, multiline.octets());
            if reading.is_whole || multiline.is_enough() {
                break;
            }
            reading = reading.go_on().await.map_err(|fault| cut(order.index, &fault, report))?;
        }
        let octets = multiline.finish(self.wire.out());
        self.wire.message_ends();
        match order.part {
            Part::Whole => mail.was_sent(reading, octets),
            Part::Top(_) => mail.give_back(reading),
        }
        self.wire.flush_block().await?;
        report.sent(order.part, octets);
        if let (Part::Whole, Some(mail)) = (order.part, &mut self.maildrop) {
            mail.note_retrieved(order.index);
        }
        Ok(None)
    }

    async fn enter(
        &self,
        path: &MaildropPath,
        report: &SessionReport,
        expiry: Option<Expiry>,
        utf8: bool,
    ) -> Result<(OpenMaildrop, Listing), OpenFault> {
        let Some(openings) = &self.service.openings else { return Err(OpenFault::no_mail_here()) };
        let leases = &self.service.leases;
        OpenMaildrop::open(openings, leases, path, report.person(), expiry, utf8).await
    }

    /// Pins unique-ids on disk before they are sent to the client.
    pub(super) async fn pin(&mut self, indices: Vec<usize>, report: &SessionReport) -> Event {
        let Some(mail) = &mut self.maildrop else { return Event::NotPinned };
        let count = indices.len();
        match mail.pin(indices).await {
            Ok(listing) => {
                report.pinned(count);
                Event::Pinned(listing)
            }
            Err(fault) => {
                tracing::error!(
                    name: "unique_ids_not_sent",
                    person = report.person(),
                    reason = fault.to_string(),
                    "unique-ids not sent: they cannot be pinned"
                );
                Event::NotPinned
            }
        }
    }
}

fn cut(index: usize, fault: &std::io::Error, report: &SessionReport) -> CloseReason {
    tracing::error!(
        name: "message_cut",
        person = report.person(),
        message_number = index + 1,
        reason = fault.to_string(),
        "message cut while it was sent"
    );
    CloseReason::MessageCut(fault.to_string())
}
