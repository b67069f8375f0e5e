//! The figures of one piece of work, and the table of all.

use std::fmt;

use super::work::Work;

/// What both servers cost, round by round.
pub struct Row {
    pub name: &'static str,
    pub goal: f64,
    unit: &'static str,
    dovecot: Vec<f64>,
    restante: Vec<f64>,
    limit: Vec<f64>,
    remark: String,
}

impl Row {
    /// Microseconds of CPU time.
    pub fn of(work: &Work) -> Self {
        let unit = if work.unit == "MB" { "µs a MB" } else { "µs" };
        Self::new(work.name, work.goal, unit)
    }

    pub fn new(name: &'static str, goal: f64, unit: &'static str) -> Self {
        Self { name, goal, unit, dovecot: Vec::new(), restante: Vec::new(), limit: Vec::new(), remark: String::new() }
    }

    /// Adds a round.
    pub fn push(&mut self, dovecot: f64, restante: f64) {
        self.dovecot.push(dovecot);
        self.restante.push(restante);
    }

    /// Adds what the round cost a server that answers from memory.
    pub fn push_limit(&mut self, limit: Option<f64>) {
        self.limit.extend(limit);
    }

    /// How often what the limit costs fits into what Dovecot costs, if that was measured.
    pub fn limit(&self) -> Option<f64> {
        (!self.limit.is_empty()).then(|| median(&self.dovecot) / median(&self.limit))
    }

    /// Says something about the work behind its name.
    pub fn remark(&mut self, remark: String) {
        self.remark = remark;
    }

    /// Median, least and greatest of the rounds' ratios.
    pub fn ratio(&self) -> (f64, f64, f64) {
        let ratios: Vec<f64> = self.dovecot.iter().zip(&self.restante).map(|(theirs, ours)| theirs / ours).collect();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        (median(&ratios), least, ratios.iter().copied().fold(0.0, f64::max))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ratio, least, most) = self.ratio();
        let (dovecot, restante) = (median(&self.dovecot), median(&self.restante));
        let (name, unit, goal) = (self.name, self.unit, self.goal);
        let met = if ratio >= goal { "yes" } else { "no" };
        write!(f, "| {name}{} ", self.remark)?;
        write!(
            f,
            "| {dovecot:.0} {unit} | {restante:.0} {unit} | {ratio:.1} ({least:.1}–{most:.1}) | {goal:.0} | {met} "
        )?;
        match self.limit() {
            Some(limit) => write!(f, "| {limit:.1} |"),
            None => f.write_str("| |"),
        }
    }
}

/// Markdown.
pub fn table(rows: &[Row]) -> String {
    let head =
        "| work | Dovecot | Restante | Dovecot / Restante | goal | met | limit here |\n|---|---|---|---|---|---|---|";
    rows.iter().fold(head.to_owned(), |table, row| format!("{table}\n{row}"))
}

fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}
