//! The bus, the queue of polls, and the step of the state machine that waits.

use serde_json::{Value, json};

use super::{Reply, World};

/// What the bus took.
#[derive(Debug, Clone)]
pub struct Event {
    pub source: String,
    pub detail_type: String,
    /// The text as it was sent.
    pub detail: String,
}

impl Event {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.detail).unwrap()
    }
}

/// What was sent to a queue.
#[derive(Debug, Clone)]
pub struct Message {
    pub queue_url: String,
    pub body: Value,
    pub delay_seconds: u64,
}

/// What Step Functions was told of a task.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    Heartbeat,
    Success(Value),
    Failure { error: String, cause: String },
}

impl World {
    pub fn callback(&mut self, operation: &str, request: &Value) -> Reply {
        let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
        let told = match operation {
            "PutEvents" => return self.put_events(request),
            "SendMessage" => {
                self.messages.push(Message {
                    queue_url: text("QueueUrl"),
                    body: serde_json::from_str(&text("MessageBody")).unwrap(),
                    delay_seconds: request["DelaySeconds"].as_u64().unwrap_or_default(),
                });
                return Reply::json(&json!({"MessageId": "m"}));
            }
            "SendTaskHeartbeat" => Told::Heartbeat,
            "SendTaskSuccess" => Told::Success(serde_json::from_str(&text("output")).unwrap()),
            "SendTaskFailure" => Told::Failure { error: text("error"), cause: text("cause") },
            other => panic!("operation {other}"),
        };
        if self.token_is_dead {
            return Reply::error(400, "TaskTimedOut");
        }
        self.told.push(told);
        Reply::json(&json!({}))
    }

    fn put_events(&mut self, request: &Value) -> Reply {
        let entries = request["Entries"].as_array().unwrap();
        assert!(entries.len() <= 10, "{} entries", entries.len());
        for entry in entries {
            self.take(entry);
        }
        let taken = vec![json!({"EventId": "e"}); entries.len()];
        Reply::json(&json!({"FailedEntryCount": 0, "Entries": taken}))
    }

    pub fn take(&mut self, entry: &Value) {
        let text = |name: &str| entry[name].as_str().unwrap().to_owned();
        assert_eq!(text("EventBusName"), "changes");
        let event = Event { source: text("Source"), detail_type: text("DetailType"), detail: text("Detail") };
        self.events.push(event);
    }
}
