# Shared by scripts/demo and scripts/test, which source it: the checks and steps that both begin with.
# Leaves the shell in the repository's root.

cd "$(dirname "$0")/.." || exit 1

fail() {
  printf '%s\n' "$1" >&2
  [ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2
  exit 1
}

require_node() {
  command -v node >/dev/null 2>&1 || fail 'node is not installed' 'install Node.js 20.19 or newer: https://nodejs.org'
  node -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1);
  ' || fail "node $(node --version) is too old" 'install Node.js 20.19 or newer: https://nodejs.org'
  command -v npm >/dev/null 2>&1 || fail 'npm is not installed' 'it comes with Node.js: https://nodejs.org'
}

install_dependencies() {
  npm ci --no-audit --no-fund --loglevel=error </dev/null >&2 ||
    fail 'npm ci failed' 'the lines above say why; it needs a package registry'
}
