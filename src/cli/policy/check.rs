//! `jit policy check`.

use std::path::Path;

use serde_json::{Value, json};

use super::super::error::CliError;
use super::super::output::count;
use super::super::{Context, Exit, Outcome};
use crate::domain::policy::{Policy, PolicyErrors};

/// Runs the command.
///
/// # Errors
/// Refused with every problem, where the file is unsound.
pub fn run(context: &Context, file: &Path) -> Outcome {
    let path = context.resolve(file);
    let bytes = std::fs::read(&path).map_err(|cause| CliError::file("read", &path, &cause))?;
    match Policy::parse(&bytes) {
        Ok(policy) => {
            context.output.result(
                || json!({ "ok": true, "policy": policy.digest.to_string(), "version": policy.version, "problems": [] }),
                || format!("{}: sound (version {}, {})", file.display(), policy.version, policy.digest),
            )?;
            Ok(Exit::DONE)
        }
        Err(problems) => {
            let object = |problem: &crate::domain::policy::PolicyProblem| -> Value {
                json!({ "line": problem.line, "column": problem.column, "message": problem.message, "expected": problem.expected })
            };
            if context.output.is_json() {
                let problems: Vec<Value> = problems.0.iter().map(object).collect();
                context.output.print(&json!({ "ok": false, "problems": problems }).to_string())?;
                return Ok(Exit(3));
            }
            Err(unsound(file, &problems))
        }
    }
}

/// What is wrong with a policy file, a line each.
pub fn unsound(file: &Path, problems: &PolicyErrors) -> CliError {
    let lines: Vec<String> = problems
        .0
        .iter()
        .map(|problem| {
            let expected =
                problem.expected.as_ref().map_or_else(String::new, |expected| format!("; expected {expected}"));
            format!("{}:{}:{}: {}{expected}", file.display(), problem.line, problem.column, problem.message)
        })
        .collect();
    let problems = count(lines.len(), "problem");
    let mut error = CliError::refused(format!("the policy is unsound: {problems}"));
    for line in lines {
        error = error.because(line);
    }
    error.hint("mend the file, then run the command again")
}
