//! The sample mail: Maildirs as a delivery agent leaves them.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::people::DemoPerson;

const WELCOME: &str = include_str!("../../config/demo-mail/welcome.eml");
const PRICES: &str = include_str!("../../config/demo-mail/prices.eml");
const ENCODED: &str = include_str!("../../config/demo-mail/encoded.eml");
const DOTS: &str = include_str!("../../config/demo-mail/dots.eml");
const NEWSLETTER: &str = include_str!("../../config/demo-mail/newsletter.eml");
const FORWARDED: &str = include_str!("../../config/demo-mail/forwarded.eml");
const SHORT: &str = include_str!("../../config/demo-mail/short.eml");

/// One sample message: its template, its age in hours, whether it was seen, and its line ends on disk.
struct SampleMessage(&'static str, u64, SampleState, LineEnds);

enum SampleState {
    New,
    Cur(&'static str),
}

enum LineEnds {
    Lf,
    CrLf,
}

use crate::date::Date;
use LineEnds::{CrLf, Lf};
use SampleState::{Cur, New};

const OF_ALAN_JONES: [SampleMessage; 8] = [
    SampleMessage(WELCOME, 200, Cur("S"), Lf),
    SampleMessage(PRICES, 150, Cur("FS"), Lf),
    SampleMessage(ENCODED, 96, Cur("RS"), Lf),
    SampleMessage(NEWSLETTER, 72, Cur(""), CrLf),
    SampleMessage(DOTS, 30, New, Lf),
    SampleMessage(FORWARDED, 8, New, Lf),
    SampleMessage(DOTS, 6, New, CrLf),
    SampleMessage(SHORT, 1, New, Lf),
];

const OF_JUERGEN_MUELLER: [SampleMessage; 5] = [
    SampleMessage(WELCOME, 190, Cur("S"), Lf),
    SampleMessage(SHORT, 90, Cur("S"), Lf),
    SampleMessage(PRICES, 50, New, CrLf),
    SampleMessage(DOTS, 7, New, Lf),
    SampleMessage(FORWARDED, 2, New, Lf),
];

const OF_MARY_BROWN: [SampleMessage; 6] = [
    SampleMessage(NEWSLETTER, 300, Cur("S"), Lf),
    SampleMessage(ENCODED, 120, Cur("PS"), Lf),
    SampleMessage(WELCOME, 100, Cur("S"), CrLf),
    SampleMessage(PRICES, 40, New, Lf),
    SampleMessage(DOTS, 20, New, Lf),
    SampleMessage(SHORT, 3, New, Lf),
];

/// Creates each person's Maildir below `root`, as `{short_name}/Maildir`: three have mail, the others none yet; people
/// without a mail address have no Maildir.
///
/// # Errors
/// The system's.
pub fn lay_out(root: &Path, people: &[DemoPerson], now: SystemTime) -> io::Result<()> {
    for person in people {
        let Some(address) = &person.mail else { continue };
        let maildir = root.join(&person.short_name).join("Maildir");
        for part in ["new", "cur", "tmp"] {
            fs::create_dir_all(maildir.join(part))?;
        }
        let samples: &[SampleMessage] = match person.short_name.as_str() {
            "ajones" => &OF_ALAN_JONES,
            "jmueller" => &OF_JUERGEN_MUELLER,
            "mbrown" => &OF_MARY_BROWN,
            _ => &[],
        };
        for (nth, sample) in (1..).zip(samples) {
            deliver(&maildir, sample, nth, address, now)?;
        }
    }
    Ok(())
}

fn deliver(maildir: &Path, sample: &SampleMessage, nth: u64, address: &str, now: SystemTime) -> io::Result<()> {
    let SampleMessage(template, hours, place, ends) = sample;
    let arrival = now.checked_sub(Duration::from_secs(hours * 3_600)).unwrap_or(UNIX_EPOCH);
    let seconds = arrival.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let message = template
        .replace("{date}", &Date::of(arrival).of_mail())
        .replace("{to}", address)
        .replace("{id}", &format!("{seconds}.{nth}"));
    let message = match ends {
        LineEnds::Lf => message,
        LineEnds::CrLf => message.replace('\n', "\r\n"),
    };
    let name = format!("{seconds}.M{nth:06}P1.demo,S={}", message.len());
    let path = match place {
        SampleState::New => maildir.join("new").join(name),
        SampleState::Cur(flags) => maildir.join("cur").join(format!("{name}:2,{flags}")),
    };
    fs::write(&path, message)?;
    fs::File::options().write(true).open(&path)?.set_modified(arrival)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::people;

    fn messages(maildir: &Path) -> Vec<String> {
        let of = |part: &str| fs::read_dir(maildir.join(part)).unwrap().map(|file| file.unwrap().path());
        of("new").chain(of("cur")).map(|path| fs::read_to_string(path).unwrap()).collect()
    }

    #[test]
    fn three_have_mail_of_every_kind() {
        let root = tempfile::tempdir().unwrap();
        lay_out(root.path(), &people::people().unwrap(), SystemTime::now()).unwrap();
        for (name, count) in [("ajones", 8), ("jmueller", 5), ("mbrown", 6), ("alamb", 0)] {
            let messages = messages(&root.path().join(name).join("Maildir"));
            assert_eq!(messages.len(), count, "{name}");
            assert!(messages.iter().all(|message| !message.contains('{') && message.contains("\nTo: ")));
            assert_eq!(messages.iter().any(|message| message.contains("\r\n")), count > 0);
            assert_eq!(messages.iter().any(|message| !message.ends_with('\n')), count > 0);
        }
        assert!(!root.path().join("tclerk").exists());
    }
}
