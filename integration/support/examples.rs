//! Examples in the texts for people.

/// The fenced blocks of YAML of a text, without the indentation of a list that they stand in.
pub fn yaml_examples(text: &str) -> Vec<String> {
    let mut examples = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(indent) = line.strip_suffix("```yaml") else { continue };
        let block = lines.by_ref().take_while(|line| line.trim() != "```");
        examples.push(block.fold(String::new(), |text, line| text + line.strip_prefix(indent).unwrap_or(line) + "\n"));
    }
    examples
}
