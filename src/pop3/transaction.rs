//! The TRANSACTION state (RFC 1939 §5): the maildrop is open.

use super::command::{Command, Misread};
use super::listing::{sizes, unique_ids};
use super::reply::{self, Reply};
use super::reply_style::{Code, ReplyStyle};
use super::session::{Action, NotTransmitted, SessionEnd, SessionState, Transition, Transmission};
use super::text::Text;
use super::{Access, Language, Line, Listing, MessageNumber, Messages, Part};

/// A person is logged in.
pub(super) struct Transaction {
    listing: Listing,
    access: Access,
    style: ReplyStyle,
}

impl Transaction {
    /// The maildrop is open: the session enters the TRANSACTION state (RFC 1939 §4).
    pub(super) fn begin(listing: Listing, access: Access, style: ReplyStyle) -> Transition {
        let state = Self { listing, access, style };
        let reply = state.totals();
        state.reply(reply)
    }

    pub(super) fn style(&self) -> ReplyStyle {
        self.style
    }

    pub(super) fn too_long(self) -> Transition {
        self.wrong(Text::LineTooLong)
    }

    pub(super) fn listing(&self) -> &Listing {
        &self.listing
    }

    pub(super) fn command(self, line: &Line) -> Transition {
        match Command::parse(line) {
            Ok(command) => self.run(&command),
            Err(Misread::Usage(usage)) => self.wrong(Text::Usage(usage)),
            Err(Misread::Unknown) => self.wrong(Text::UnknownCommand),
        }
    }

    fn reply(self, reply: Reply) -> Transition {
        Transition::reply(SessionState::Transaction(self), reply)
    }

    fn wrong(self, text: Text) -> Transition {
        let reply = self.style.err(text);
        Transition::wrong(SessionState::Transaction(self), reply)
    }

    fn totals(&self) -> Reply {
        let (count, octets) = self.listing.totals();
        self.style.ok(Text::MaildropHas { count, octets })
    }

    fn run(mut self, command: &Command) -> Transition {
        let reply = match command {
            Command::Stat => reply::stat(self.listing.totals()),
            Command::List(None) => return self.list(),
            Command::List(Some(number)) => self.list_one(*number),
            Command::Uidl(number) => return self.uidl(*number),
            Command::Retr(number) => return self.transmit(*number, Part::Whole),
            Command::Top(number, lines) => return self.transmit(*number, Part::Top(*lines)),
            Command::Dele(number) => self.dele(*number),
            Command::Noop => reply::ok(""),
            Command::Rset => self.rset(),
            Command::Capa => self.access.capabilities(self.style, true),
            Command::Lang(range) => self.style.lang(range.as_deref()),
            Command::Quit => return self.quit(),
            Command::User(_) | Command::Pass(_) | Command::Auth(_) | Command::Stls | Command::Utf8 => {
                return self.wrong(Text::AlreadyLoggedIn);
            }
        };
        self.reply(reply)
    }

    fn list(self) -> Transition {
        let action = match self.shared() {
            Some(messages) => Action::Share(messages.list()),
            None => Action::Reply(self.list_all()),
        };
        Transition::right(SessionState::Transaction(self), action)
    }

    /// The replies that sessions share are in English.
    fn shared(&self) -> Option<&Messages> {
        self.listing.shared().filter(|_| self.style.language == Language::English)
    }

    fn no_such_message(&self, number: MessageNumber) -> Reply {
        self.style.err(Text::NoSuchMessage(number))
    }

    fn list_all(&self) -> Reply {
        let (count, octets) = self.listing.totals();
        reply::list(self.style.ok(Text::Messages { count, octets }), sizes(self.listing.unmarked()))
    }

    fn list_one(&self, number: MessageNumber) -> Reply {
        self.one(number, |message| message.octets.to_string())
    }

    /// A unique-id must never change once it was sent, so it is pinned before that.
    fn uidl(self, number: Option<MessageNumber>) -> Transition {
        if !self.listing.has_unpinned() {
            return self.send_unique_ids(number);
        }
        let indices: Vec<usize> = match number {
            Some(number) => self.listing.index(number).into_iter().collect(),
            None => self.listing.unmarked().map(|(number, _)| number - 1).collect(),
        };
        if indices.is_empty() {
            return self.send_unique_ids(number);
        }
        Transition::right(SessionState::Pinning(self, number), Action::Pin(indices))
    }

    pub(super) fn pinned(mut self, pinned: Listing, number: Option<MessageNumber>) -> Transition {
        self.listing.renew(pinned);
        self.send_unique_ids(number)
    }

    /// "The SYS/TEMP response code indicates a problem which is likely to be temporary in nature" (RFC 3206 §4).
    pub(super) fn not_pinned(self) -> Transition {
        let reply = self.style.err_with(Code::SysTemp, Text::UniqueIdsUnavailable);
        self.reply(reply)
    }

    fn send_unique_ids(self, number: Option<MessageNumber>) -> Transition {
        let action = match (number, self.shared()) {
            (Some(number), _) => Action::Reply(self.uidl_one(number)),
            (None, Some(messages)) => Action::Share(messages.uidl()),
            (None, None) => Action::Reply(self.uidl_all()),
        };
        Transition::right(SessionState::Transaction(self), action)
    }

    fn uidl_all(&self) -> Reply {
        reply::uidl(self.style.ok(Text::UniqueIdsFollow), unique_ids(self.listing.unmarked()))
    }

    fn uidl_one(&self, number: MessageNumber) -> Reply {
        self.one(number, |message| message.unique_id.as_str().to_owned())
    }

    fn one(&self, number: MessageNumber, describe: impl Fn(&super::Listed) -> String) -> Reply {
        let message = self.listing.index(number).and_then(|index| self.listing.get(index));
        message.map_or_else(
            || self.no_such_message(number),
            |message| reply::ok(&format!("{number} {}", describe(message))),
        )
    }

    fn transmit(self, number: MessageNumber, part: Part) -> Transition {
        let Some((index, message)) = self.listing.index(number).and_then(|at| Some((at, self.listing.get(at)?))) else {
            let reply = self.no_such_message(number);
            return self.reply(reply);
        };
        let reply = match part {
            Part::Whole => self.style.ok(Text::Octets(message.octets)),
            Part::Top(_) => self.style.ok(Text::TopFollows),
        };
        Transition::right(SessionState::Transaction(self), Action::Transmit(Transmission { index, part, reply }))
    }

    /// "SYS/PERM is used for problems which are unlikely to be resolved without intervention." (RFC 3206 §4)
    pub(super) fn not_transmitted(self, why: NotTransmitted) -> Transition {
        let text = match why {
            NotTransmitted::Now => {
                let reply = self.style.err(Text::MessageUnreadableNow);
                return self.reply(reply);
            }
            NotTransmitted::Compressed => Text::MessageCompressed,
            NotTransmitted::Encrypted => Text::MessageEncrypted,
            NotTransmitted::Damaged => Text::MessageDamaged,
            NotTransmitted::TooLarge => Text::MessageTooLarge,
        };
        let reply = self.style.err_with(Code::SysPerm, text);
        self.reply(reply)
    }

    fn dele(&mut self, number: MessageNumber) -> Reply {
        let Some(index) = self.listing.index(number) else { return self.no_such_message(number) };
        self.listing.mark(index);
        self.style.ok(Text::MarkedForRemoval(number))
    }

    fn rset(&mut self) -> Reply {
        self.listing.reset();
        self.totals()
    }

    /// "… if the client issues the QUIT command from the TRANSACTION state, the POP3 session enters the UPDATE state."
    /// (RFC 1939 §6)
    fn quit(self) -> Transition {
        let marks = self.listing.marks();
        if marks.is_empty() {
            return Transition::right(SessionState::Ended, Action::Close(self.style.ok(Text::Bye), SessionEnd::Quit));
        }
        Transition::right(SessionState::Update(self.style), Action::Commit(marks))
    }
}
