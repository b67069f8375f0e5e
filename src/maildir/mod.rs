//! Maildirs: which one, what is in it, and what is removed from it. Synchronous code.

mod settings;
mod template;

pub use settings::Settings;
pub use template::{Field, PathTemplate, TemplateFault};
