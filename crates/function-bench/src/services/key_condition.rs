//! Key conditions of a `Query`, as each SDK's users write them: a partition key, and perhaps a prefix of the sort key.
//! (Amazon DynamoDB API reference, "Query", `KeyConditionExpression`.)

/// The values that a condition names, each with its colon.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KeyCondition<'a> {
    pub partition_key: &'a str,
    pub prefix: Option<&'a str>,
}

impl<'a> KeyCondition<'a> {
    /// `id = :id`, or that and `begins_with(sk, :prefix)`, in any order and brackets. The attributes' names are not looked
    /// at. `None` for any other condition.
    pub(super) fn read(expression: &'a str) -> Option<Self> {
        let (before, prefix) = match expression.split_once("begins_with") {
            None => (expression, None),
            Some((before, call)) => {
                let (call, after) = call.split_once(')')?;
                let prefix = values(call).next()?;
                // The partition key stands on one side of the call.
                let other_side = if values(before).next().is_some() { before } else { after };
                (other_side, Some(prefix))
            }
        };
        let mut partition_keys = values(before);
        let partition_key = partition_keys.next()?;
        let is_equality = before.matches('=').count() == 1 && !before.contains(['<', '>']);
        (is_equality && partition_keys.next().is_none()).then_some(Self { partition_key, prefix })
    }
}

fn values(expression: &str) -> impl Iterator<Item = &str> {
    expression
        .split(|character: char| !character.is_ascii_alphanumeric() && !":_".contains(character))
        .filter(|word| word.starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_as_each_sdk_writes_them() {
        for (expression, partition_key, prefix) in [
            ("id = :id", ":id", None),
            ("#0 = :0", ":0", None),
            ("id=:id", ":id", None),
            ("id = :id AND begins_with(sk, :prefix)", ":id", Some(":prefix")),
            ("(#0 = :0) AND (begins_with (#1, :1))", ":0", Some(":1")),
            ("(#n0 = :v0 AND begins_with(#n1, :v1))", ":v0", Some(":v1")),
            ("begins_with(sk, :prefix) and id = :id", ":id", Some(":prefix")),
        ] {
            assert_eq!(
                KeyCondition::read(expression),
                Some(KeyCondition { partition_key, prefix }),
                "{expression}"
            );
        }
    }

    #[test]
    fn other_conditions_are_none() {
        for expression in [
            "",
            "id = id",
            "id = :id AND sk = :sk",
            "id = :id AND sk >= :sk",
            "id = :id AND sk BETWEEN :low AND :high",
            "begins_with(sk, :prefix)",
            "id > :id AND begins_with(sk, :prefix)",
        ] {
            assert_eq!(KeyCondition::read(expression), None, "{expression}");
        }
    }
}
