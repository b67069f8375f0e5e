//! Filters that an administrator writes (RFC 4515).

/// Checks that a text is one filter in its parentheses, so that it can be combined with others.
///
/// # Errors
/// A sentence: what is wrong, and what is expected.
pub fn check_filter(text: &str) -> Result<(), String> {
    if text.starts_with('(') && text.ends_with(')') && ldap3::parse_filter(text).is_ok() {
        return Ok(());
    }
    Err(format!("\"{text}\" is no filter; expected one in parentheses, such as (objectClass=person) (RFC 4515)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_one_filter_in_parentheses() {
        for filter in
            ["(objectClass=person)", "(&(objectClass=person)(!(nsAccountLock=true)))", "(cn=*)", r"(cn=\28\29)"]
        {
            assert_eq!(check_filter(filter), Ok(()), "{filter}");
        }
        for wrong in ["", "objectClass=person", "(objectClass=person", "(a=b)(c=d)", "(&(a=b)", "()", "(person)"] {
            assert!(check_filter(wrong).is_err(), "{wrong}");
        }
    }
}
