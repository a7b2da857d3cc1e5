//! The unit for systemd.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{program, text};
use crate::operations::{stderr, stdout};

fn systemd_analyze(arguments: &[&str], unit: &Path) -> Option<(bool, String)> {
    let program = program("systemd-analyze")?;
    let output = Command::new(program).args(arguments).arg(unit).output();
    let output = output.unwrap();
    let said = format!("{}{}", stdout(&output), stderr(&output));
    Some((output.status.success(), said))
}

/// The unit with a program that exists on this machine.
fn unit(folder: &TempDir, change: impl Fn(&str) -> String) -> PathBuf {
    let path = folder.path().join("secure-messaging.service");
    let text = text("deployment/secure-messaging.service");
    let text = text.replace("/usr/local/bin/secure-messaging", "/bin/true");
    std::fs::write(&path, change(&text)).unwrap();
    path
}

/// What each section of a service may hold, as far as ours uses it.
const UNIT: [(&str, &[&str]); 3] = [
    (
        "Unit",
        &[
            "Description",
            "After",
            "Wants",
            "StartLimitIntervalSec",
            "StartLimitBurst",
        ],
    ),
    (
        "Service",
        &[
            "Type",
            "NotifyAccess",
            "ExecStart",
            "WorkingDirectory",
            "Environment",
            "Restart",
            "RestartSec",
            "TimeoutStartSec",
            "TimeoutStopSec",
            "WatchdogSec",
            "LoadCredential",
            "User",
            "Group",
            "StateDirectory",
            "StateDirectoryMode",
            "UMask",
            "LimitCORE",
            "LimitMEMLOCK",
            "LimitNOFILE",
            "MemorySwapMax",
            "NoNewPrivileges",
            "CapabilityBoundingSet",
            "AmbientCapabilities",
            "PrivateUsers",
            "RestrictSUIDSGID",
            "ProtectSystem",
            "ProtectHome",
            "PrivateTmp",
            "PrivateDevices",
            "DevicePolicy",
            "ProtectProc",
            "ProcSubset",
            "ProtectClock",
            "ProtectControlGroups",
            "ProtectHostname",
            "ProtectKernelLogs",
            "ProtectKernelModules",
            "ProtectKernelTunables",
            "RemoveIPC",
            "RestrictAddressFamilies",
            "RestrictNamespaces",
            "RestrictRealtime",
            "LockPersonality",
            "MemoryDenyWriteExecute",
            "KeyringMode",
            "SystemCallArchitectures",
            "SystemCallFilter",
            "SystemCallErrorNumber",
        ],
    ),
    ("Install", &["WantedBy"]),
];

/// Lines of a unit that are no setting of their section; systemd only warns of them and goes on.
fn strange_lines(unit: &str) -> Vec<&str> {
    let mut known: &[&str] = &[];
    let mut strange = Vec::new();
    for line in unit.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let section = line.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        if let Some(name) = section {
            let found = UNIT.iter().find(|(section, _)| *section == name);
            known = found.map_or(&[], |(_, known)| known);
            if found.is_none() {
                strange.push(line);
            }
        } else if !line
            .split_once('=')
            .is_some_and(|(name, _)| known.contains(&name))
        {
            strange.push(line);
        }
    }
    strange
}

#[test]
fn every_line_of_the_unit_is_a_setting_of_its_section() {
    let unit = text("deployment/secure-messaging.service");
    assert_eq!(strange_lines(&unit), Vec::<&str>::new());
    for (good, bad) in [
        ("LimitCORE=0", "LimitCores=0"),
        ("[Service]", "[Services]"),
        ("[Install]", "[Install]\nPrivateTmp=yes"),
        ("Restart=on-failure", "Restart on-failure"),
    ] {
        let altered = unit.replace(good, bad);
        assert!(!strange_lines(&altered).is_empty(), "{bad}");
    }
}

#[test]
fn the_unit_is_what_systemd_understands() {
    let folder = TempDir::new().unwrap();
    let good = unit(&folder, str::to_owned);
    if let Some((accepted, said)) = systemd_analyze(&["verify"], &good) {
        assert!(accepted, "{said}");
        assert!(!said.contains("secure-messaging.service:"), "{said}");
        let bad = unit(&folder, |text| text.replace("Type=notify", "Type=notifies"));
        let (_, said) = systemd_analyze(&["verify"], &bad).unwrap();
        assert!(
            said.contains("secure-messaging.service:"),
            "the control: {said}"
        );
    }
}

#[test]
fn the_unit_takes_everything_away_that_the_server_does_not_need() {
    let folder = TempDir::new().unwrap();
    let threshold = ["security", "--offline=true", "--threshold=20"];
    if let Some((low, said)) = systemd_analyze(&threshold, &unit(&folder, str::to_owned)) {
        assert!(low, "{said}");
        let open = unit(&folder, |text| {
            text.replace("PrivateUsers=yes", "PrivateUsers=no")
                .replace("CapabilityBoundingSet=\n", "")
                .replace("ProtectSystem=strict", "ProtectSystem=no")
        });
        let (low, _) = systemd_analyze(&threshold, &open).unwrap();
        assert!(!low, "the control");
    }
    let text = text("deployment/secure-messaging.service");
    let lines: BTreeSet<&str> = text.lines().map(str::trim).collect();
    for line in [
        "Type=notify",
        "LimitCORE=0",
        "LimitMEMLOCK=infinity",
        "MemorySwapMax=0",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "StateDirectory=secure-messaging",
        "MemoryDenyWriteExecute=yes",
        "SystemCallFilter=@system-service",
        "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
        "CapabilityBoundingSet=",
    ] {
        assert!(lines.contains(line), "{line}");
    }
    assert!(text.contains("\nLoadCredential=DB_ENCRYPTION_KEY:"));
}
