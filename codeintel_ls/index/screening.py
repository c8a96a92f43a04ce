"""What is never indexed, told from a file's path and from its text.

Invariant: when in doubt about a secret, skip; when in doubt about anything else, index. The
values of `SkipReason` are shown to people and kept in the cache.
"""

import re
from collections.abc import Iterator
from enum import StrEnum


class SkipReason(StrEnum):
    """Why a file is not indexed."""

    SECRET = "secret"  # noqa: S105 - a reason's name
    BINARY = "binary"
    MINIFIED = "minified"
    GENERATED = "generated"
    TOO_LARGE = "too-large"
    LONG_LINE = "long-line"
    SYMLINK_OUTSIDE = "symlink"
    UNREADABLE = "unreadable"
    NOT_A_FILE = "not-a-file"
    IGNORED = "ignored"
    OVER_CAP = "over-cap"


_SECRET_EXTENSIONS = frozenset(
    "pem key p8 p12 pfx pkcs12 crt cer der csr jks keystore truststore kdb kdbx ppk asc gpg pgp"
    " ovpn tfstate mobileprovision keychain agekey age keytab".split()
)
_SECRET_NAME = re.compile(
    r"""
    \.env.* | .+\.env
    | id_(?:rsa|dsa|ecdsa|ed25519|xmss)(?:_sk)?(?:[.\-_].*)?
    | \.?netrc | _netrc | \.pgpass | \.my\.cnf | \.mylogin\.cnf
    | \.npmrc | \.yarnrc | \.yarnrc\.yml | \.pypirc | \.gem_credentials
    | \.git-credentials | \.dockercfg | \.dockerconfigjson | \.vault[-_]token | \.boto | \.s3cfg
    | \.?credentials(?:\.(?:json|ya?ml|toml|ini|xml|csv|txt|enc|db|properties))?
    | credentials\.yml\.enc | master\.key | client_secrets?.*\.json
    | (?:.*[-_.])?service[-_]?accounts?(?:[-_.].*)?\.json | gha-creds-.*\.json
    | (?:.*[-_.])?secrets?(?:[-_.].*)?\.(?:ya?ml|json|toml|ini|env|properties|tfvars)
    | .*\.auto\.tfvars | terraform\.tfvars | .*\.tfstate(?:\..*)? | \.terraformrc | terraform\.rc
    | \.?htpasswd | \.passwd | \.rhosts
    | kubeconfig | .*\.kubeconfig | authorized_keys | known_hosts
    | local\.settings\.json | google-services\.json | googleservice-info\.plist
    | wp-config\.php | \.bash_history | \.zsh_history | \.psql_history | \.mysql_history
    | \.python_history | \.node_repl_history | \.rediscli_history | \.sqlite_history
    """,
    re.VERBOSE,
)
_SECRET_PATH = re.compile(
    r"(?:^|/)(?:\.aws/(?:credentials|config)|\.docker/config\.json|\.kube/config(?:/.*)?"
    r"|\.ssh/.*|\.gnupg/.*|\.azure/.*|\.config/gcloud/.*|\.config/gh/hosts\.yml"
    r"|\.gem/credentials|\.cargo/credentials(?:\.toml)?|\.m2/settings(?:-security)?\.xml"
    r"|\.bundle/config|\.config/hub|\.password-store/.*)$"
)

_BINARY_EXTENSIONS = frozenset(
    "3ds 3gp 7z a aac accdb aif aiff apk app ar arrow avi avif bin blend bmp bz2 cab"
    " class crx cso cur db db3 dbf dds deb dex dll dmg doc docm docx ds_store dwg dylib"
    " ear egg eot eps epub exe exr fbx feather ffs fla flac flv gem gif glb gz h5 har.gz hdf5 hdr"
    " heic heif icns ico idx img ipa iso jar jfif joblib jp2 jpeg jpg jxl ktx ldb lib lnk lz lz4"
    " lzma m4a m4v mdb mid midi mkv mo mobi mov mp2 mp3 mp4 mpeg mpg msi nib node npy npz nupkg"
    " o obj.gz odg odp ods odt ogg ogv onnx opus orc ori otf parquet pb pbf pcap pcapng pch pck"
    " pdb pdf pickle pkl png ppt pptx psd pt pth pyc pyd pyo qcow2 rar rdb rlib rmeta rpm"
    " safetensors sav shp snk so sqlite sqlite-journal sqlite-shm sqlite-wal sqlite3 swf swp tar"
    " tbz2 tflite tga tgz tif tiff ttc ttf txz vdi vhd.gz vmdk vsix war wasm wav webm webp whl wma"
    " wmv woff woff2 xap xcf xls xlsb xlsm xlsx xz z zip zipx zst".split()
)
_BINARY_NAME = re.compile(r".+\.so\.[\d.]+|\.ds_store|thumbs\.db|core\.\d+")

_MINIFIED_NAME = re.compile(
    r".+[.\-_]min\.(?:js|mjs|cjs|css|html?|json|svg)|.+\.(?:js|mjs|cjs|css|ts)\.map|.+\.map"
    r"|(?:.+[.\-])?bundle\.(?:js|mjs|cjs|css)|.+\.(?:chunk|production)\.(?:js|mjs|cjs|css)"
    r"|.+[.\-][0-9a-f]{16,}\.(?:js|mjs|css)|.+[.\-]pack(?:ed)?\.js"
)
_GENERATED_NAME = re.compile(
    r"""
    package-lock\.json | npm-shrinkwrap\.json | yarn\.lock | pnpm-lock\.ya?ml | bun\.lockb?
    | deno\.lock | cargo\.lock | poetry\.lock | uv\.lock | pdm\.lock | pipfile\.lock | pixi\.lock
    | conda-lock\.yml | gemfile\.lock | composer\.lock | podfile\.lock | pubspec\.lock | mix\.lock
    | packages\.lock\.json | paket\.lock | flake\.lock | gradle\.lockfile | package\.resolved
    | go\.(?:work\.)?sum | cartfile\.resolved | \.terraform\.lock\.hcl | module\.bazel\.lock
    | rebar\.lock | stack\.yaml\.lock | chart\.lock
    | .+\.pb(?:\.gw)?\.(?:go|cc|h|c|swift|dart) | .+_pb2(?:_grpc)?\.pyi? | .+_pb\.(?:js|ts|d\.ts|rb)
    | .+_(?:grpc|grpc_web)_pb\.(?:js|ts|d\.ts) | .+_grpc\.pb\.go | zz_generated\..+
    | .+\.(?:g|freezed|gr|mocks)\.dart | .+\.g\.(?:cs|i\.cs) | .+\.designer\.(?:cs|vb)
    | .+\.generated\..+ | .+[._-]generated\.[a-z]+
    | .+\.snap | .+\.snapshot | moc_.+\.cpp | qrc_.+\.cpp | ui_.+\.h | .+\.tab\.[ch] | lex\.yy\.c
    | .+\.xcworkspacedata | project\.pbxproj
    """,
    re.VERBOSE,
)

_HEAD_LINES = 25
_HEAD_CHARACTERS = 4_000
_COMMENT = re.compile(r"\s*(?://|/\*|\*|#|--|;|%|<!--|\(\*|REM\b|'\s)")
_BLOCK_OPENS = re.compile(r"/\*(?!.*\*/)|<!--(?!.*-->)")
_BLOCK_CLOSES = re.compile(r"\*/|-->")
# "@generated" is Meta's and Cargo's convention; the rest are the sentences that generators write.
_GENERATED_MARK = re.compile(
    r"^\W*@(?:partially-)?generated\b"
    r"|\bcode generated\b.*\bdo not (?:edit|modify)\b"
    r"|\b(?:auto[- ]?|automatically )?generated\b.*"
    r"\b(?:do not|don't|never) (?:edit|modify|change|touch)\b"
    r"|<auto-?generated\b"
    r"|^\W*(?:this (?:file|code) (?:is|was|has been) )?(?:auto[- ]?|automatically )generated\b"
    r"|^\W*(?:this (?:file|code) (?:is|was|has been) )?generated (?:by|from)\b",
    re.IGNORECASE,
)
_EDIT_WARNING = re.compile(r"\b(?:do not|don't) (?:edit|modify)\b", re.IGNORECASE)
_GENERATED_BY = re.compile(
    r"\b(?:is|was|been|file|code|automatically|auto)[- ]?generated\b|\bgenerated (?:by|from)\b",
    re.IGNORECASE,
)

_MINIFIABLE = (".js", ".mjs", ".cjs", ".css", ".html", ".htm", ".json", ".svg", ".xml")
_MINIFIED_LEAST_CHARACTERS = 2_000
_MINIFIED_MEAN_LINE = 300


def screen_path(path: str) -> SkipReason | None:
    """Why a file of this folder-relative path (with `/`) is skipped unread; None to go on."""
    lowered = path.lower()
    name = lowered.rpartition("/")[2]
    extension = name.rpartition(".")[2] if "." in name else ""
    if _is_secret(lowered, name, extension):
        return SkipReason.SECRET
    if extension in _BINARY_EXTENSIONS or _BINARY_NAME.fullmatch(name):
        return SkipReason.BINARY
    if _MINIFIED_NAME.fullmatch(name):
        return SkipReason.MINIFIED
    if _GENERATED_NAME.fullmatch(name):
        return SkipReason.GENERATED
    return None


def screen_text(path: str, text: str, max_line_characters: int) -> SkipReason | None:
    """Why a file is skipped for what it holds; None where it is to be indexed.

    `max_line_characters`: the longest line that is still indexed.
    """
    if has_long_line(text, max_line_characters):
        return SkipReason.LONG_LINE
    if _is_private_key(text):
        return SkipReason.SECRET
    if _looks_minified(path, text):
        return SkipReason.MINIFIED
    if _says_generated(text):
        return SkipReason.GENERATED
    return None


def has_long_line(text: str, max_characters: int) -> bool:
    """Whether any line has more characters, terminator not counted."""
    if len(text) <= max_characters:
        return False
    if "\r" in text:
        text = text.replace("\r", "\n")
    return len(max(text.split("\n"), key=len)) > max_characters


def _is_secret(path: str, name: str, extension: str) -> bool:
    return (
        extension in _SECRET_EXTENSIONS
        or _SECRET_NAME.fullmatch(name) is not None
        or _SECRET_PATH.search(path) is not None
    )


def _is_private_key(text: str) -> bool:
    return text.startswith("-----BEGIN ") and " PRIVATE KEY" in text[:60]


def _looks_minified(path: str, text: str) -> bool:
    """Long lines throughout, in a language that is shipped that way."""
    if not path.lower().endswith(_MINIFIABLE) or len(text) < _MINIFIED_LEAST_CHARACTERS:
        return False
    breaks = text.count("\n") or text.count("\r")
    return len(text) / (breaks + 1) > _MINIFIED_MEAN_LINE


def _says_generated(text: str) -> bool:
    """A comment at the head says that a program wrote the file and people must not.

    Only the comments before the first code count: a generator's own source holds these
    sentences in its strings.
    """
    warned = generated = False
    for line in _head_comments(text):
        if _GENERATED_MARK.search(line):
            return True
        warned = warned or _EDIT_WARNING.search(line) is not None
        generated = generated or _GENERATED_BY.search(line) is not None
    return warned and generated


def _head_comments(text: str) -> Iterator[str]:
    in_block = False
    for line in text[:_HEAD_CHARACTERS].split("\n")[:_HEAD_LINES]:
        is_comment = in_block or _COMMENT.match(line) is not None
        if is_comment:
            yield line
            in_block = (in_block and not _BLOCK_CLOSES.search(line)) or bool(
                _BLOCK_OPENS.search(line)
            )
        elif line.strip() and not line.startswith(("<?", "<!", "@charset", "package ")):
            return
