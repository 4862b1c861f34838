//! Environment variables, read in one place: all that are missing or wrong are reported together, by name.

use std::fmt;
use std::str::FromStr;

/// Collects what a `Config` asks for; [`Variables::finish`] tells everything that was wrong.
///
/// ```
/// # use lambda_support::variables::Variables;
/// struct Config { table_name: String, limit: usize }
///
/// let variables = Variables::from(|name: &str| (name == "TABLE_NAME").then(|| "items".to_owned()));
/// let config = variables.finish(|read| Config {
///     table_name: read.required("TABLE_NAME"),
///     limit: read.parsed_or("LIMIT", 10),
/// });
/// assert_eq!(config.unwrap().limit, 10);
/// ```
pub struct Variables<'a> {
    lookup: Lookup<'a>,
    problems: Vec<Problem>,
}

type Lookup<'a> = Box<dyn Fn(&str) -> Option<String> + 'a>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    Missing(&'static str),
    Wrong { name: &'static str, why: String },
}

/// Every variable that is missing or wrong. It shows no value: a value may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct VariablesError(Vec<Problem>);

impl<'a> Variables<'a> {
    /// The variables of this process.
    #[must_use]
    pub fn of_process() -> Variables<'static> {
        Variables::from(|name: &str| std::env::var(name).ok())
    }

    pub fn from(lookup: impl Fn(&str) -> Option<String> + 'a) -> Self {
        Self { lookup: Box::new(lookup), problems: Vec::new() }
    }

    /// The text of a variable. While it is missing or empty this is an empty text, which never leaves
    /// [`Variables::finish`].
    pub fn required(&mut self, name: &'static str) -> String {
        match (self.lookup)(name) {
            Some(value) if !value.is_empty() => value,
            _ => {
                self.problems.push(Problem::Missing(name));
                String::new()
            }
        }
    }

    /// The value of a variable, or the default where it is not set.
    pub fn parsed_or<T: FromStr>(&mut self, name: &'static str, default: T) -> T
    where
        T::Err: fmt::Display,
    {
        match (self.lookup)(name).as_deref().map(str::parse) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(error)) => {
                self.wrong(name, error.to_string());
                default
            }
        }
    }

    /// The value of a variable as `parse` reads it. It is `None` only where [`Variables::finish_whole`] will tell why.
    pub fn required_as<T, E: fmt::Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.required(name);
        if text.is_empty() {
            return None;
        }
        parse(&text).map_err(|error| self.wrong(name, error.to_string())).ok()
    }

    /// The text of a variable, where it is set.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name)
    }

    pub fn wrong(&mut self, name: &'static str, why: String) {
        self.problems.push(Problem::Wrong { name, why });
    }

    /// # Errors
    /// Where a variable that `read` asked for is missing or wrong.
    pub fn finish<C>(mut self, read: impl FnOnce(&mut Self) -> C) -> Result<C, VariablesError> {
        let config = read(&mut self);
        if self.problems.is_empty() { Ok(config) } else { Err(VariablesError(self.problems)) }
    }

    /// [`Variables::finish`] for a configuration of which a part can be missing.
    ///
    /// # Errors
    /// Where a variable that `read` asked for is missing or wrong.
    pub fn finish_whole<C>(mut self, read: impl FnOnce(&mut Self) -> Option<C>) -> Result<C, VariablesError> {
        match read(&mut self) {
            Some(config) if self.problems.is_empty() => Ok(config),
            _ => Err(VariablesError(self.problems)),
        }
    }
}

impl fmt::Display for VariablesError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the function's environment is incomplete")?;
        for (position, problem) in self.0.iter().enumerate() {
            formatter.write_str(if position == 0 { ": " } else { "; " })?;
            match problem {
                Problem::Missing(name) => write!(formatter, "{name} is not set")?,
                Problem::Wrong { name, why } => write!(formatter, "{name} is wrong ({why})")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(set: &'static [(&'static str, &'static str)]) -> Variables<'static> {
        Variables::from(move |name: &str| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn everything_that_is_missing_or_wrong_is_named_at_once() {
        let error = variables(&[("B", ""), ("LIMIT", "many")])
            .finish(|read| (read.required("A"), read.required("B"), read.parsed_or("LIMIT", 1_u8)))
            .unwrap_err()
            .to_string();
        for part in ["A is not set", "B is not set", "LIMIT is wrong (invalid digit found in string)"] {
            assert!(error.contains(part), "{error}");
        }
        assert!(!error.contains("many"), "{error}");
    }

    #[test]
    fn what_is_set_is_read() {
        let config = variables(&[("A", "x"), ("LIMIT", "7")])
            .finish(|read| (read.required("A"), read.parsed_or("LIMIT", 1_u8), read.optional("C")));
        assert_eq!(config, Ok(("x".to_owned(), 7, None)));
    }

    #[test]
    fn a_variable_that_is_more_than_a_text_is_named_like_the_others() {
        let read = |set: &'static [(&'static str, &'static str)]| {
            variables(set).finish_whole(|read| {
                let limit = read.required_as("LIMIT", str::parse::<u8>);
                Some((read.required("A"), limit?))
            })
        };
        assert_eq!(read(&[("A", "x"), ("LIMIT", "7")]), Ok(("x".to_owned(), 7)));
        for (set, why) in [
            (&[("LIMIT", "many")], "LIMIT is wrong (invalid digit found in string)"),
            (&[("LIMIT", "")], "LIMIT is not set"),
        ] {
            let error = read(set).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("A is not set"), "{error}");
        }
    }
}
