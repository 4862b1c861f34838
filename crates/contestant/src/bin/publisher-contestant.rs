//! The job of the publisher, which has the allocator of the system: docs/performance.md, "The allocator".

fn main() -> anyhow::Result<()> {
    contestant::command_line::run()
}
