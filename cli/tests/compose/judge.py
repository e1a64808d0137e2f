"""What `docker-compose config` makes of a service, in a form that can be held against cutover's."""

import contextlib
import io
import json
import re
import shlex
import sys

import yaml
from compose.cli.main import main

UNITS = {"ns": 1e-6, "us": 1e-3, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
SIZES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def plain(text):
    return text.replace("$$", "$")


def words(value):
    if value is None:
        return None
    return [plain(word) for word in (shlex.split(value) if isinstance(value, str) else value)]


def milliseconds(text):
    if text is None:
        return None
    return round(sum(float(n) * UNITS[u] for n, u in re.findall(r"([\d.]+)(ns|us|ms|s|m|h)", str(text))))


def size(value):
    if value is None:
        return None
    number, unit = re.fullmatch(r"([\d.]+)\s*([a-z]*)", str(value).lower()).groups()
    return int(float(number) * SIZES[unit.rstrip("b") or ""])


def texts(mapping):
    return {name: plain("" if value is None else str(value)) for name, value in (mapping or {}).items()}


def real(top, name):
    declared = top.get(name) or {}
    return declared.get("name") or (name if declared.get("external") else "PROJECT_" + name)


def volume(entry, top):
    if isinstance(entry, str):
        source, target, *mode = entry.split(":")
        bind = source.startswith("/")
        source = source if bind else real(top, source)
        return f"{source}:{target}" + (":ro" if mode == ["ro"] else "")
    if entry["type"] == "tmpfs":
        return None
    source = entry["source"] if entry["type"] == "bind" else real(top, entry["source"])
    return f"{source}:{entry['target']}" + (":ro" if entry.get("read_only") else "")


def check(health):
    if not health:
        return None
    test = health.get("test")
    if health.get("disable") or test == ["NONE"]:
        return "off"
    times = {key: milliseconds(health.get(key)) for key in ("interval", "timeout", "start_period")}
    test = ["CMD-SHELL", test] if isinstance(test, str) else test
    return {"test": [plain(word) for word in test], "retries": health.get("retries"), **times}


def config(file):
    """One process for all files: most of what `docker-compose` takes is its start."""
    told = io.StringIO()
    sys.argv = ["docker-compose", "-f", file, "config"]
    with contextlib.redirect_stdout(told):
        main()
    return yaml.safe_load(told.getvalue())


def judged(config):
    service = config["services"]["web"]
    networks = service.get("networks") or {"default": None}
    networks = networks if isinstance(networks, dict) else dict.fromkeys(networks)
    limits = ((service.get("deploy") or {}).get("resources") or {}).get("limits") or {}
    volumes = service.get("volumes") or []
    tmpfs = service.get("tmpfs") or []
    tmpfs = [tmpfs] if isinstance(tmpfs, str) else tmpfs
    tmpfs = tmpfs + [v["target"] for v in volumes if isinstance(v, dict) and v["type"] == "tmpfs"]
    cpus = service.get("cpus") or limits.get("cpus")
    hosts = service.get("extra_hosts") or []
    hosts = [f"{k}:{v}" for k, v in hosts.items()] if isinstance(hosts, dict) else hosts
    ulimits = service.get("ulimits") or {}
    ulimits = {k: v if isinstance(v, dict) else {"soft": v, "hard": v} for k, v in ulimits.items()}
    logging = service.get("logging")
    return {
            "image": service.get("image") and plain(service["image"]),
            "environment": {n: plain(str(v)) for n, v in (service.get("environment") or {}).items() if v is not None},
            "command": words(service.get("command")),
            "entrypoint": words(service.get("entrypoint")),
            "user": service.get("user"),
            "working_dir": service.get("working_dir"),
            "hostname": service.get("hostname"),
            "stop_signal": service.get("stop_signal"),
            "stop_grace": milliseconds(service.get("stop_grace_period")),
            "read_only": service.get("read_only"),
            "init": bool(service.get("init")),
            "restart": {"always": "unless-stopped"}.get(service.get("restart"), (service.get("restart") or "").split(":")[0] or None),
            "labels": texts(service.get("labels")),
            "log": logging and {"driver": logging.get("driver"), "options": texts(logging.get("options"))},
            "volumes": [v for v in (volume(entry, config.get("volumes") or {}) for entry in volumes) if v],
            "tmpfs": sorted(tmpfs),
            "networks": sorted([real(config.get("networks") or {}, n), sorted((a or {}).get("aliases") or [])] for n, a in networks.items()),
            "memory": size(service.get("mem_limit") or limits.get("memory")),
            "cpus": cpus and float(cpus),
            "pids": service.get("pids_limit") or limits.get("pids"),
            "healthcheck": check(service.get("healthcheck")),
            "cap_add": service.get("cap_add") or [],
            "cap_drop": service.get("cap_drop") or [],
            "extra_hosts": sorted(hosts),
            "shm_size": size(service.get("shm_size")),
            "ulimits": {k: [v["soft"], v["hard"]] for k, v in ulimits.items()},
            "sysctls": texts(service.get("sysctls")),
        }


files = sys.argv[1:]
print(json.dumps([judged(config(file)) for file in files]))
