//! What starts the daemons: systemd's units, the directories in /run after a boot, and the same without systemd. Pure.
//! Source: systemd.service(5), systemd.exec(5), tmpfiles.d(5).

use std::path::Path;

use super::Wanted;
use crate::host::Config;

/// Where units of administrators lie.
pub const DIRECTORY: &str = "/etc/systemd/system";
/// The unit of `jit host sync`.
pub const SYNC: &str = "/etc/systemd/system/jit-host-sync.service";
/// The unit of `jit host reap`.
pub const REAP: &str = "/etc/systemd/system/jit-host-reap.service";
/// The names of both.
pub const NAMES: [&str; 2] = ["jit-host-sync.service", "jit-host-reap.service"];
/// What is in /run after each boot.
pub const TMPFILES: &str = "/etc/tmpfiles.d/jit.conf";

const HEAD: &str = "# Written by jit host setup; jit host setup --undo takes it away.\n";

/// tmpfiles.d: /run is empty after a boot.
pub fn tmpfiles(config: &Config) -> String {
    let user = &config.user;
    let line = |path: &Path, mode: &str, owner: &str| format!("d {} {mode} {owner} {owner} -\n", path.display());
    format!(
        "{HEAD}{}{}{}{}",
        line(&config.run, "0755", "root"),
        line(&config.sessions(), "0700", "root"),
        line(&config.gates(), "0711", "root"),
        line(&config.published, "0755", user)
    )
}

/// The unit of `jit host sync`: a user that can do nothing but follow the ledger.
pub fn sync(wanted: &Wanted, program: &Path) -> String {
    let config = &wanted.config;
    let mut writes = vec![config.mirror.parent().unwrap_or(Path::new("/")).to_owned(), config.published.clone()];
    // A ledger that lies on this machine is pushed to by writing there.
    let remote = config.remote.strip_prefix("file://").unwrap_or(&config.remote);
    if remote.starts_with('/') {
        writes.push(remote.into());
    }
    let writes: Vec<String> = writes.iter().map(|path| path.display().to_string()).collect();
    format!(
        "{HEAD}[Unit]
Description=jit: follow the ledger and publish whom this host admits
Documentation=man:jit-host-sync(1)
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
# Not RuntimeDirectory=: that would take the directory away, and root's sessions with it, whenever this stops.
ExecStartPre=+systemd-tmpfiles --create {TMPFILES}
ExecStart={command}
User={user}
Restart=always
RestartSec=1
UMask=0027
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ReadWritePaths={writes}
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
",
        command = wanted.command(program, "sync"),
        user = config.user,
        writes = writes.join(" "),
    )
}

/// The unit of `jit host reap`: root, because it ends everybody's processes and makes control groups.
pub fn reap(wanted: &Wanted, program: &Path) -> String {
    format!(
        "{HEAD}[Unit]
Description=jit: end sessions when their time comes
Documentation=man:jit-host-reap(1)
StartLimitIntervalSec=0

[Service]
ExecStartPre=systemd-tmpfiles --create {TMPFILES}
ExecStart={command}
Restart=always
RestartSec=1
# It ends sessions. Nothing that it started ends with it, and memory running out must not take it first.
KillMode=process
OOMScoreAdjust=-900
UMask=0077
# It writes control groups, signals processes, reads /proc, and runs the policy's probes as other users: what would
# hide any of these from it is left out.
ProtectSystem=full
ProtectKernelModules=yes
ProtectClock=yes
RestrictRealtime=yes
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
",
        command = wanted.command(program, "reap"),
    )
}

/// The commands of the two daemons where systemd does not run: each must be started at boot, and again when it ends.
pub fn plain(wanted: &Wanted, program: &Path) -> [String; 2] {
    let sync = format!("/usr/sbin/runuser -u {} -- {}", wanted.config.user, wanted.command(program, "sync"));
    [sync, wanted.command(program, "reap")]
}
