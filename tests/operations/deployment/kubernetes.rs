//! The manifests for Kubernetes: its own schemas, and rules of ours.

use std::collections::BTreeSet;
use std::process::Command;

use tempfile::TempDir;

use super::several::{NO_DATABASE, migrate_says, problems, stand_ins};
use super::{program, text, top};
use crate::operations::{stderr, stdout};
use crate::support::binary;

const FOLDER: &str = "deployment/kubernetes";
/// The oldest version that is still in wide use, and the newest that the schemas know.
const VERSIONS: [&str; 2] = ["1.30", "1.37"];

/// Every file, its name and text.
fn files() -> Vec<(String, String)> {
    let entries = std::fs::read_dir(top().join(FOLDER)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<_> = names
        .map(|name| {
            let text = text(&format!("{FOLDER}/{name}"));
            (name, text)
        })
        .collect();
    files.sort();
    files
}

/// Every object, without comments.
fn objects() -> Vec<String> {
    let files = files();
    let all = files.iter().flat_map(|(_, text)| text.split("\n---\n"));
    let plain = |object: &str| {
        let lines = object
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        lines.map(|line| format!("{line}\n")).collect()
    };
    all.map(plain).collect()
}

/// The object of a kind that has this name.
fn object(kind: &str, name: &str) -> String {
    let (kind, name) = (format!("kind: {kind}\n"), format!("\n  name: {name}\n"));
    let mut found = objects()
        .into_iter()
        .filter(|object| object.contains(&kind) && object.contains(&name));
    let object = found.next().unwrap_or_else(|| panic!("no {kind} {name}"));
    assert!(found.next().is_none());
    object
}

#[test]
fn kubernetes_own_schemas_take_every_manifest() {
    let Some(validate) = program("kubernetes-validate") else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let check = |version: &str, name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let output = Command::new(&validate)
            .args(["--strict", "--no-warn", "-k", version])
            .arg(&path)
            .output()
            .unwrap();
        (output.status.success(), stdout(&output) + &stderr(&output))
    };
    for version in VERSIONS {
        let mut passed = 0;
        for (name, text) in files() {
            let (taken, said) = check(version, &name, &text);
            assert!(taken, "{name}: {said}");
            passed += said.matches("passed for resource").count();
        }
        assert_eq!(passed, objects().len());
    }
    let server = text("deployment/kubernetes/server.yaml");
    for (good, bad) in [
        ("readOnlyRootFilesystem", "readonlyRootFilesystem"),
        ("replicas: 2", "replicas: two"),
        ("containerPort: 8080", "containerPort: http"),
        ("minAvailable", "minimumAvailable"),
    ] {
        let altered = server.replace(good, bad);
        assert_ne!(altered, server);
        assert!(
            !check(VERSIONS[0], "altered.yaml", &altered).0,
            "the control: {bad}"
        );
    }
}

/// What a pod lacks of what each must have.
fn missing(workload: &str) -> Vec<&'static str> {
    let needed = [
        "automountServiceAccountToken: false\n",
        "enableServiceLinks: false\n",
        "runAsNonRoot: true\n",
        "runAsUser: 10001\n",
        "seccompProfile:\n          type: RuntimeDefault\n",
        "allowPrivilegeEscalation: false\n",
        "readOnlyRootFilesystem: true\n",
        "drop:\n                - ALL\n",
        "defaultMode: 0440\n",
        "app.kubernetes.io/part-of: secure-messaging\n",
    ];
    let mut missing: Vec<_> = needed
        .into_iter()
        .filter(|part| !workload.contains(part))
        .collect();
    for wrong in [
        "privileged: true",
        "hostNetwork",
        "hostPath",
        "hostPID",
        "add:",
        ":latest",
        "persistentVolumeClaim",
        "volumeClaimTemplates",
    ] {
        if workload.contains(wrong) {
            missing.push(wrong);
        }
    }
    // What is asked for is the most there is: nothing is swapped out.
    let memory: BTreeSet<&str> = workload
        .lines()
        .filter_map(|line| line.trim().strip_prefix("memory: "))
        .collect();
    if memory.len() != 1 || workload.matches(" memory: ").count() != 2 {
        missing.push("memory");
    }
    missing
}

#[test]
fn no_pod_has_a_right_or_keeps_anything_on_a_disk() {
    let workloads = [
        object("Deployment", "secure-messaging"),
        object("Job", "migrate"),
        object("StatefulSet", "valkey"),
    ];
    let all = objects();
    let pods = all.iter().filter(|it| it.contains("containers:\n")).count();
    assert_eq!(pods, workloads.len(), "all of them");
    for workload in &workloads {
        assert_eq!(missing(workload), Vec::<&str>::new());
        for (good, bad) in [
            ("runAsNonRoot: true", "runAsNonRoot: false"),
            (
                "readOnlyRootFilesystem: true",
                "readOnlyRootFilesystem: false",
            ),
            ("- ALL", "- NET_RAW"),
            ("RuntimeDefault", "Unconfined"),
            (
                "limits:\n              memory: ",
                "limits:\n              memory: 1",
            ),
        ] {
            assert!(workload.contains(good), "{good}");
            assert_ne!(missing(&workload.replace(good, bad)), Vec::<&str>::new());
        }
    }
    let namespace = object("Namespace", "secure-messaging");
    assert!(namespace.contains("pod-security.kubernetes.io/enforce: restricted\n"));
    for object in &all {
        assert!(object.contains("  namespace: secure-messaging\n") || object == &namespace);
    }
}

#[test]
fn instances_are_replaced_one_at_a_time_and_each_says_in_time_that_it_stops() {
    let server = object("Deployment", "secure-messaging");
    for part in [
        "replicas: 2\n",
        "maxUnavailable: 0\n",
        "maxSurge: 1\n",
        "readinessProbe:\n            httpGet:\n              path: /health/ready\n",
        "livenessProbe:\n            httpGet:\n              path: /health/live\n",
        "startupProbe:\n            httpGet:\n              path: /health/live\n",
    ] {
        assert!(server.contains(part), "{part}");
    }
    let number = |text: &str, name: &str| -> u64 {
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "));
        value.unwrap().trim_matches('"').parse().unwrap()
    };
    let configuration = object("ConfigMap", "secure-messaging");
    let drain = number(&configuration, "SECURE_MESSAGING_DRAIN_SECS");
    assert!(drain >= 10);
    let grace = number(&server, "terminationGracePeriodSeconds");
    assert!(grace >= drain + 20);
    let budget = object("PodDisruptionBudget", "secure-messaging");
    assert!(budget.contains("minAvailable: 1\n"));
}

#[test]
fn each_engine_is_known_by_its_own_name_and_only_the_server_reaches_it() {
    let engines = object("StatefulSet", "valkey");
    for part in [
        "serviceName: valkey\n",
        "replicas: 3\n",
        "type: OnDelete\n",
        "- name: MALLOC_CONF\n              value: junk:free\n",
        "mountPath: /run/secrets\n",
    ] {
        assert!(engines.contains(part), "{part}");
    }
    let service = object("Service", "valkey");
    assert!(service.contains("clusterIP: None\n"));
    assert!(service.contains("publishNotReadyAddresses: true\n"));
    let secrets = object("Secret", "secure-messaging");
    for number in 0..3 {
        let node = format!("valkey://server:replace@valkey-{number}.valkey:6379");
        assert!(secrets.contains(&node), "{node}");
    }
    let users = object("Secret", "valkey-users");
    let page = text("docs/scale-out.md");
    let rights = users.split_once(">replace ").unwrap().1.trim();
    assert!(page.contains(rights), "{rights}");
    assert!(users.contains("user default off\n"));
    assert!(object("NetworkPolicy", "nobody").contains("podSelector: {}\n"));
    let reach = object("NetworkPolicy", "valkey-ingress");
    let (_, from) = reach.split_once("- from:\n").unwrap();
    assert!(from.contains("app.kubernetes.io/name: secure-messaging\n"));
    assert_eq!(from.matches("Selector").count(), 1);
}

#[test]
fn every_name_that_one_manifest_uses_is_made_by_another() {
    let server = object("Deployment", "secure-messaging");
    let migrate = object("Job", "migrate");
    let engines = object("StatefulSet", "valkey");
    let values = |object: &str, name: &str| -> Vec<String> {
        let lines = object.lines().filter_map(|line| {
            let line = line.trim().trim_start_matches("- ");
            line.strip_prefix(name)?.strip_prefix(": ")
        });
        lines.map(str::to_owned).collect()
    };
    for workload in [&server, &migrate, &engines] {
        for name in values(workload, "secretName") {
            object("Secret", &name);
        }
    }
    // Each secret file that a variable names is a key of what is mounted there.
    for (workload, folder, secret) in [
        (&server, "/run/secrets/server/", "secure-messaging"),
        (&migrate, "/run/secrets/server/", "secure-messaging"),
        (&migrate, "/run/secrets/owner/", "secure-messaging-owner"),
    ] {
        let secret = object("Secret", secret);
        let named = values(workload, "value");
        let named: Vec<&str> = named
            .iter()
            .filter_map(|value| value.strip_prefix(folder))
            .collect();
        assert!(!named.is_empty());
        for name in named {
            assert!(secret.contains(&format!("\n  {name}: ")), "{name}");
        }
        let mount = folder.trim_end_matches('/');
        assert!(values(workload, "mountPath").contains(&mount.to_owned()));
    }
    let ingress = object("Ingress", "secure-messaging");
    assert!(
        ingress.contains(
            "name: secure-messaging\n                port:\n                  name: http\n"
        )
    );
    let service = object("Service", "secure-messaging");
    assert!(service.contains("- name: http\n      port: 80\n      targetPort: http\n"));
    assert!(server.contains("- name: http\n              containerPort: 8080\n"));
    // No door to the measurements for people.
    assert!(!service.contains("metrics"));
}

/// What all pods of the server are told.
fn configured() -> Vec<(String, String)> {
    let configuration = object("ConfigMap", "secure-messaging");
    let (_, settings) = configuration.split_once("\ndata:\n").unwrap();
    let pairs = settings
        .lines()
        .map(|line| line.trim().split_once(": ").unwrap());
    let pairs: Vec<_> = pairs
        .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
        .collect();
    assert_eq!(pairs.len(), 10, "the control");
    pairs
}

/// What the container of a workload is told beside it.
fn told(workload: &str) -> Vec<(String, String)> {
    let (_, rest) = workload.split_once("          env:\n").unwrap();
    let entries = rest.split("            - name: ").skip(1);
    entries
        .map_while(|entry| entry.split_once("\n              value: "))
        .map(|(name, value)| (name.to_owned(), value.lines().next().unwrap().to_owned()))
        .collect()
}

#[test]
fn the_settings_of_the_manifests_are_what_the_configuration_takes() {
    let server = told(&object("Deployment", "secure-messaging"));
    assert_eq!(server.len(), 7, "the control: {server:?}");
    let check = |without: &str| {
        let data = TempDir::new().unwrap();
        let all = configured().into_iter().chain(server.clone());
        let all = all.filter(|(name, _)| !name.starts_with(without));
        let output = binary()
            .arg("check-config")
            .current_dir(data.path())
            .env_remove("DB_ENCRYPTION_KEY")
            .env("BIND_ADDR", "0.0.0.0:8080")
            .envs(stand_ins(all, data.path()))
            .output()
            .unwrap();
        stdout(&output)
    };
    let said = check("none of them");
    assert!(said.contains("Problems\n"), "the control: {said}");
    assert_eq!(problems(&said), Vec::<&str>::new());
    for shown in ["10.244.0.0/16", "s3://bucket/", "https://s3.example.org"] {
        assert!(said.contains(shown), "{shown}: {said}");
    }
    assert_ne!(problems(&check("AWS_")), Vec::<&str>::new(), "the control");
}

#[test]
fn kubernetes_migrate_is_told_all_that_it_needs() {
    let own = told(&object("Job", "migrate"));
    assert_eq!(own.len(), 3, "the control: {own:?}");
    let said = migrate_says(configured().into_iter().chain(own.clone()).collect());
    assert!(said.contains(NO_DATABASE), "{said}");
    let said = migrate_says(own);
    assert!(said.contains("PUBLIC_URL"), "the control: {said}");
}

#[test]
fn the_ingress_controller_replaces_what_a_client_says_of_its_address() {
    let ingress = object("Ingress", "secure-messaging");
    let rule = "haproxy.org/request-set-header: \"X-Forwarded-For %[src]\"";
    assert!(ingress.contains(rule), "{ingress}");
}
