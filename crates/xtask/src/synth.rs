//! The CloudFormation templates of both targets, checked by cdk-nag and cfn-lint.

use anyhow::Result;

use crate::process::Program;
use crate::repository::Repository;
use crate::{functions, tools};

/// cdk-nag is part of the app: a finding that is not acknowledged fails the synthesis.
pub fn synth(repository: &Repository) -> Result<()> {
    tools::install_all(repository)?;
    functions::build(repository)?;
    // The functions for AWS are built when deploying, by cargo-lambda and for arm64; a template needs none.
    cdk_synth(repository, "aws", r#"{"buildFunctions":false}"#)?;
    cdk_synth(repository, "local", "{}")?;
    Program::new(repository.python_program("cfn-lint"))
        .args(["cdk.out/aws/*.template.json", "cdk.out/local/*.template.json"])
        .folder(repository.path("infra"))
        .run_logged(repository, "Checking the templates with cfn-lint")?;
    println!("the templates: infra/cdk.out/aws and infra/cdk.out/local");
    Ok(())
}

fn cdk_synth(repository: &Repository, target: &str, options: &str) -> Result<()> {
    Program::new("node")
        .args(["node_modules/aws-cdk/bin/cdk", "synth", "--quiet"])
        .arg(format!("--context=target={target}"))
        .arg(format!("--context=options={options}"))
        .arg(format!("--output=cdk.out/{target}"))
        .with_cdk_home(repository)
        .folder(repository.path("infra"))
        .run_logged(repository, &format!("Synthesizing the template for {target}"))
}
