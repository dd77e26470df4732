//! `jit man`: manual pages from the same tree of commands as the help.

use std::fs;
use std::path::PathBuf;

use clap_mangen::Man;

use super::error::CliError;
use super::{Context, Exit, Outcome};

/// Print the manual page, or write one for each command.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write the pages into DIR.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// Prints `jit(1)`, or writes it and a page for each command.
///
/// # Errors
/// Where a page cannot be written.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let pages = pages()?;
    let Some(directory) = args.dir.map(|directory| context.resolve(&directory)) else {
        if let Some((_, page)) = pages.first() {
            context.output.bytes(page)?;
        }
        return Ok(Exit::DONE);
    };
    fs::create_dir_all(&directory).map_err(|cause| CliError::file("make", &directory, &cause))?;
    for (name, page) in &pages {
        let path = directory.join(name);
        fs::write(&path, page).map_err(|cause| CliError::file("write", &path, &cause))?;
    }
    context.output.note(format!(
        "{} pages in {}; man {}",
        pages.len(),
        directory.display(),
        directory.join("jit.1").display()
    ));
    Ok(Exit::DONE)
}

/// The pages by file name: `jit.1` first, then one for each command, such as `jit-request.1`.
///
/// # Errors
/// Never in practice: a page is written to memory.
pub fn pages() -> Result<Vec<(String, Vec<u8>)>, CliError> {
    let mut tree = super::tree();
    // Gives each command its full name and the global flags.
    tree.build();
    let mut pages = Vec::new();
    write(&tree, "jit", &mut pages)?;
    Ok(pages)
}

fn write(command: &clap::Command, name: &str, pages: &mut Vec<(String, Vec<u8>)>) -> Result<(), CliError> {
    let mut page = Vec::new();
    let man = Man::new(command.clone()).title(name.to_uppercase()).manual("jit");
    man.render(&mut page)
        .map_err(|cause| CliError::failed("a manual page cannot be made").because(cause.to_string()))?;
    pages.push((format!("{name}.1"), page));
    for below in command.get_subcommands() {
        write(below, &format!("{name}-{}", below.get_name()), pages)?;
    }
    Ok(())
}
