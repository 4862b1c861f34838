use domain::fhir::CodeMaps;
use lambda_support::variables::{Variables, VariablesError};

#[derive(Debug, Clone)]
pub struct Config {
    pub items_table_name: String,
    pub claim_check_bucket_name: String,
    /// How the table's own codes translate to FHIR's.
    pub codes: CodeMaps,
}

impl Config {
    /// # Errors
    /// Where a variable is missing or wrong.
    pub fn from_env() -> Result<Self, VariablesError> {
        Self::read(Variables::of_process())
    }

    /// # Errors
    /// Where a variable is missing or wrong.
    pub fn read(variables: Variables<'_>) -> Result<Self, VariablesError> {
        variables.finish(|read| Self {
            items_table_name: read.required("ITEMS_TABLE_NAME"),
            claim_check_bucket_name: read.required("CLAIM_CHECK_BUCKET_NAME"),
            codes: read.parsed_or("CODE_MAPS", CodeMaps::default()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(code_maps: Option<&'static str>) -> Result<Config, VariablesError> {
        Config::read(Variables::from(move |name: &str| match name {
            "CODE_MAPS" => code_maps.map(str::to_owned),
            _ => Some("set".to_owned()),
        }))
    }

    #[test]
    fn code_maps_that_could_never_serve_stop_the_function_at_its_start() {
        assert!(read(None).is_ok());
        assert!(read(Some(r#"{"gender": {"M": "male"}}"#)).is_ok());
        for wrong in ["{", r#"{"gender": "M"}"#, r#"{"gender": {"M": "man"}}"#, r#"{"sex": {}}"#] {
            let error = read(Some(wrong)).unwrap_err().to_string();
            assert!(error.contains("CODE_MAPS is wrong"), "{error}");
        }
    }
}
