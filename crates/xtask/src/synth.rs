//! The CloudFormation templates of both targets, with exports and without, checked by cdk-nag and cfn-lint.

use anyhow::Result;

use crate::process::Program;
use crate::repository::Repository;
use crate::{functions, tools};

/// Each target without datastores, which is the default, and with one that the stack creates and one that is there already.
const TEMPLATES: [(&str, &str, &str); 4] = [
    ("aws", "aws", ""),
    ("local", "local", ""),
    ("aws-exports", "aws", DATASTORES),
    ("local-exports", "local", DATASTORES),
];

const DATASTORES: &str =
    r#","datastores":{"new":{},"existing":{"datastoreId":"0123456789abcdef0123456789abcdef"}}"#;

pub fn synth(repository: &Repository) -> Result<()> {
    tools::install_all(repository)?;
    functions::build(repository)?;
    templates(repository)
}

/// cdk-nag is part of the app: a finding that is not acknowledged fails the synthesis. The functions are built.
pub fn templates(repository: &Repository) -> Result<()> {
    for (folder, target, datastores) in TEMPLATES {
        // The functions for AWS are built when deploying, by cargo-lambda and for arm64; a template needs none.
        let options = format!(r#"{{"buildFunctions":false{datastores}}}"#);
        cdk_synth(repository, folder, target, &options)?;
    }
    Program::new(repository.python_program("cfn-lint"))
        .args(TEMPLATES.map(|(folder, ..)| format!("cdk.out/{folder}/*.template.json")))
        .folder(repository.path("infra"))
        .run_logged(repository, "Checking the templates with cfn-lint")?;
    println!("the templates: infra/cdk.out/{{{}}}", TEMPLATES.map(|(folder, ..)| folder).join(","));
    Ok(())
}

fn cdk_synth(repository: &Repository, folder: &str, target: &str, options: &str) -> Result<()> {
    Program::new("node")
        .args(["node_modules/aws-cdk/bin/cdk", "synth", "--quiet"])
        .arg(format!("--context=target={target}"))
        .arg(format!("--context=options={options}"))
        .arg(format!("--output=cdk.out/{folder}"))
        .with_cdk_home(repository)
        .folder(repository.path("infra"))
        .run_logged(repository, &format!("Synthesizing the template {folder}"))
}
