//! A dialogue as a text file.
//!
//! ```text
//! # A comment: the sentence that the lines below it obey.
//! C: what the client says; {repeat:2000:x} and {base64:\0name\0password} stand for what they make
//! S: what the server must answer; each * stands for anything
//! S[clear]: a line that is only said in clear; S[tls]: one that is only said under TLS
//! ```
//!
//! The first `S:` line is the greeting. A multi-line reply is one `S:` line for each of its lines, as they are sent:
//! stuffed dots and the final dot stand there. Lines that begin with `@` prepare and steer:
//!
//! ```text
//! @play clear             not under TLS; `@play tls`: only there
//! @listener tls: none     the port, instead of one with STLS and another with TLS
//! @config KEY: VALUE      a further line of the configuration
//! @directory gone         nobody listens there; `@directory wrong-bind`: it does not let the service in
//! @message                begins a message, which ends with @end; its lines end in LF on disk.
//! @message crlf           … in CRLF; `@message no-end`: the last line has no end
//! @login ajones           a login that succeeds, as four lines
//! @tls                    the client begins TLS
//! @times 200              the lines up to @end so many times
//! @closed                 the server says no more and closes
//! @left 1 3               of the messages, these are still on disk; stands behind @closed
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use restante::demo::people;

/// What a file says.
#[derive(Default)]
pub(super) struct Script {
    pub(super) clear: bool,
    pub(super) tls: bool,
    pub(super) listener: Option<String>,
    pub(super) config: String,
    pub(super) directory: Directory,
    /// The messages of whoever logs in, as they lie on disk.
    pub(super) messages: Vec<Vec<u8>>,
    pub(super) steps: Vec<Step>,
}

#[derive(Default, PartialEq, Eq)]
pub(super) enum Directory {
    #[default]
    Answers,
    Gone,
    WrongBind,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Octets of the client, line end included.
    Client(Vec<u8>),
    Server {
        pattern: String,
        on: On,
    },
    Tls,
    Closed,
    Left(Vec<usize>),
}

/// On which connections a line is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    Both,
    Clear,
    Tls,
}

impl Script {
    /// Reads a file; what is wrong with it fails the test.
    pub(super) fn parse(text: &str) -> Self {
        let mut script = Self { clear: true, tls: true, ..Self::default() };
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            script.line(line, &mut lines);
        }
        assert!(matches!(script.steps.first(), Some(Step::Server { .. })), "a dialogue begins with the greeting");
        script
    }

    fn line<'a>(&mut self, line: &str, rest: &mut impl Iterator<Item = &'a str>) {
        let (word, argument) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" | "#" => {}
            "C:" => self.steps.push(Step::Client(format!("{}\r\n", expanded(argument)).into_bytes())),
            "S:" => self.server(argument, On::Both),
            "S[clear]:" => self.server(argument, On::Clear),
            "S[tls]:" => self.server(argument, On::Tls),
            "@play" => (self.clear, self.tls) = (argument == "clear", argument == "tls"),
            "@listener" => self.listener = Some(argument.to_owned()),
            "@config" => self.config.extend([argument, "\n"]),
            "@directory" => self.directory = directory(argument),
            "@message" => self.messages.push(message(argument, &block(rest))),
            "@login" => self.login(argument),
            "@tls" => self.steps.push(Step::Tls),
            "@times" => self.times(argument.parse().unwrap(), &block(rest)),
            "@closed" => self.steps.push(Step::Closed),
            "@left" if self.steps.last() == Some(&Step::Closed) => {
                self.steps.push(Step::Left(argument.split_whitespace().map(|n| n.parse().unwrap()).collect()));
            }
            _ => panic!("no line of a dialogue: {line}"),
        }
    }

    fn server(&mut self, pattern: &str, on: On) {
        self.steps.push(Step::Server { pattern: pattern.to_owned(), on });
    }

    fn login(&mut self, short_name: &str) {
        let people = people::people().unwrap();
        let person = people.iter().find(|person| person.short_name == short_name).unwrap();
        for line in [format!("USER {short_name}"), format!("PASS {}", person.password)] {
            self.steps.push(Step::Client(format!("{line}\r\n").into_bytes()));
            self.server("+OK*", On::Both);
        }
    }

    fn times(&mut self, count: usize, lines: &[&str]) {
        for _ in 0..count {
            for line in lines {
                self.line(line, &mut std::iter::empty());
            }
        }
    }
}

/// The lines up to `@end`.
fn block<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    lines.take_while(|line| *line != "@end").collect()
}

fn message(form: &str, lines: &[&str]) -> Vec<u8> {
    let end = if form == "crlf" { "\r\n" } else { "\n" };
    let mut text: String = lines.iter().flat_map(|line| [line, end]).collect();
    if form == "no-end" {
        text.pop();
    }
    text.into_bytes()
}

fn directory(word: &str) -> Directory {
    match word {
        "gone" => Directory::Gone,
        "wrong-bind" => Directory::WrongBind,
        _ => panic!("no state of the directory: {word}"),
    }
}

/// A client's line with its braces replaced.
fn expanded(line: &str) -> String {
    let Some((before, rest)) = line.split_once('{') else { return line.to_owned() };
    let (inside, behind) = rest.split_once('}').unwrap();
    let made = match inside.split_once(':').unwrap() {
        ("base64", text) => STANDARD.encode(text.replace("\\0", "\0")),
        ("repeat", rest) => {
            let (count, text) = rest.split_once(':').unwrap();
            text.repeat(count.parse().unwrap())
        }
        (word, _) => panic!("nothing is called {word}"),
    };
    format!("{before}{made}{}", expanded(behind))
}

/// Whether a line is what a pattern says; `*` stands for anything.
pub(super) fn matches(pattern: &str, line: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('*') else { return pattern == line };
    let Some(tail) = line.strip_prefix(before) else { return false };
    (0..=tail.len()).filter_map(|at| tail.get(at..)).any(|tail| matches(rest, tail))
}
