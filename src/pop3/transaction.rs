//! The TRANSACTION state (RFC 1939 §5): the maildrop is open.

use super::command::{Command, Misread};
use super::reply::{self, Reply};
use super::session::{Action, End, State, Step, Transmission};
use super::{Access, Line, Listing, MessageNumber, Part};

/// A person is logged in.
pub(super) struct Transaction {
    listing: Listing,
    access: Access,
}

impl Transaction {
    /// The maildrop is open: the session enters the TRANSACTION state (RFC 1939 §4).
    pub(super) fn begin(listing: Listing, access: Access) -> Step {
        let (count, octets) = listing.totals();
        let reply = reply::ok(&format!("maildrop has {count} messages ({octets} octets)"));
        Step::reply(State::Transaction(Self { listing, access }), reply)
    }

    pub(super) fn listing(&self) -> &Listing {
        &self.listing
    }

    pub(super) fn command(self, line: &Line) -> Step {
        match Command::parse(line) {
            Ok(command) => self.run(&command),
            Err(Misread::Usage(usage)) => Step::wrong(State::Transaction(self), &format!("right would be: {usage}")),
            Err(Misread::Unknown) => Step::wrong(State::Transaction(self), "unknown command"),
        }
    }

    fn run(mut self, command: &Command) -> Step {
        let reply = match *command {
            Command::Stat => reply::stat(&self.listing),
            Command::List(None) => reply::list(&self.listing),
            Command::List(Some(number)) => self.list_one(number),
            Command::Uidl(number) => return self.uidl(number),
            Command::Retr(number) => return self.transmit(number, Part::Whole),
            Command::Top(number, lines) => return self.transmit(number, Part::Top(lines)),
            Command::Dele(number) => self.dele(number),
            Command::Noop => reply::ok(""),
            Command::Rset => self.rset(),
            Command::Capa => self.access.capabilities(true),
            Command::Quit => return self.quit(),
            Command::User(_) | Command::Pass(_) | Command::Auth(_) | Command::Stls => {
                return Step::wrong(State::Transaction(self), "already logged in");
            }
        };
        Step::reply(State::Transaction(self), reply)
    }

    fn list_one(&self, number: MessageNumber) -> Reply {
        self.one(number, |message| message.octets.to_string())
    }

    /// What is told once stays: so it is pinned before.
    fn uidl(self, number: Option<MessageNumber>) -> Step {
        if !self.listing.has_unpinned() {
            return self.tell(number);
        }
        let indices: Vec<usize> = match number {
            Some(number) => self.listing.index(number).into_iter().collect(),
            None => self.listing.unmarked().map(|(number, _)| number - 1).collect(),
        };
        if indices.is_empty() {
            return self.tell(number);
        }
        Step::right(State::Pinning(self, number), Action::Pin(indices))
    }

    pub(super) fn pinned(mut self, pinned: Listing, number: Option<MessageNumber>) -> Step {
        self.listing.renew(pinned);
        self.tell(number)
    }

    /// "SYS/TEMP … a problem which is likely to be temporary in nature" (RFC 3206 §4).
    pub(super) fn not_pinned(self) -> Step {
        Step::reply(State::Transaction(self), reply::err("[SYS/TEMP] unique-ids cannot be told now, try again later"))
    }

    fn tell(self, number: Option<MessageNumber>) -> Step {
        let reply = match number {
            Some(number) => self.uidl_one(number),
            None => reply::uidl(&self.listing),
        };
        Step::reply(State::Transaction(self), reply)
    }

    fn uidl_one(&self, number: MessageNumber) -> Reply {
        self.one(number, |message| message.unique_id.as_str().to_owned())
    }

    fn one(&self, number: MessageNumber, tell: impl Fn(&super::Listed) -> String) -> Reply {
        let message = self.listing.index(number).and_then(|index| self.listing.get(index));
        message
            .map_or_else(|| reply::no_such_message(number), |message| reply::ok(&format!("{number} {}", tell(message))))
    }

    fn transmit(self, number: MessageNumber, part: Part) -> Step {
        let Some((index, message)) = self.listing.index(number).and_then(|at| Some((at, self.listing.get(at)?))) else {
            return Step::reply(State::Transaction(self), reply::no_such_message(number));
        };
        let reply = match part {
            Part::Whole => reply::ok(&format!("{} octets", message.octets)),
            Part::Top(_) => reply::ok("top of message follows"),
        };
        Step::right(State::Transaction(self), Action::Transmit(Transmission { index, part, reply }))
    }

    pub(super) fn not_transmitted(self) -> Step {
        Step::reply(State::Transaction(self), reply::err("this message cannot be read now"))
    }

    fn dele(&mut self, number: MessageNumber) -> Reply {
        let Some(index) = self.listing.index(number) else { return reply::no_such_message(number) };
        self.listing.mark(index);
        reply::ok(&format!("message {number} will be removed at QUIT"))
    }

    fn rset(&mut self) -> Reply {
        self.listing.reset();
        let (count, octets) = self.listing.totals();
        reply::ok(&format!("maildrop has {count} messages ({octets} octets)"))
    }

    /// "… if the client issues the QUIT command from the TRANSACTION state, the POP3 session enters the UPDATE state."
    /// (RFC 1939 §6)
    fn quit(self) -> Step {
        let marks = self.listing.marks();
        if marks.is_empty() {
            return Step::right(State::Ended, Action::Close(reply::ok("bye"), End::Quit));
        }
        Step::right(State::Update, Action::Commit(marks))
    }
}
