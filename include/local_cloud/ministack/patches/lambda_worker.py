"""What a Python function's process makes of answers and failures, as AWS's own runtime does; the function stays warm.

MiniStack calls every exception `Runtime.HandlerError`, so that Step Functions cannot tell them apart, ends the process
after each, and takes no `bytes` in an answer. Source of the rules: AWS's Lambda Python Runtime Interface Client. Of the
cloud's packages a function sees those that AWS's runtime has too.
"""

from __future__ import annotations

import sysconfig

from ..patching import changed, patch

STANDARD = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
SITE = sysconfig.get_path("purelib")

# Goes before the worker's own program.
_HELPERS = (
    f'''
import decimal, importlib.machinery

class _Standard:
    """Finds what no folder of the function's has."""
    @staticmethod
    def find_spec(name, path=None, target=None):
        if path is None and name in {STANDARD}:
            return importlib.machinery.PathFinder.find_spec(name, [{SITE!r}])

sys.path[:] = [folder for folder in sys.path if not folder.endswith(("site-packages", "dist-packages"))]
sys.meta_path.append(_Standard)
'''
    + '''
class _RuntimeFailure(Exception):
    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind

def _failure(error):
    own = isinstance(error, _RuntimeFailure)
    after_this_file = error.__traceback__ and error.__traceback__.tb_next
    return json.dumps({"status": "ok", "result": None, "failure": {
        "errorMessage": str(error),
        "errorType": error.kind if own else type(error).__name__,
        "stackTrace": [] if own else [line.replace(os.environ["LAMBDA_TASK_ROOT"], "/var/task")
            for line in traceback.format_tb(after_this_file)]}})

def _answer(result):
    def default(value):
        if isinstance(value, bytes):
            return value.decode()
        if isinstance(value, decimal.Decimal):
            return int(value) if value == value.to_integral_value() else float(value)
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
    try:
        answer = json.dumps(result, default=default, ensure_ascii=False)
    except Exception as error:
        raise _RuntimeFailure("Runtime.MarshalError", f"Unable to marshal response: {error}") from error
    if len(answer.encode("utf-8", "replace")) > 6291556:  # 6 MB and 100 bytes
        raise _RuntimeFailure("Function.ResponseSizeTooLarge",
            "Response payload size exceeded maximum allowed payload size (6291556 bytes).")
    return json.dumps({"status": "ok", "result": json.loads(answer)})

def _unusable(error, module, handler):
    """A handler that fails as the import of the function's code did."""
    failure = error
    if isinstance(error, ImportError):
        failure = _RuntimeFailure("Runtime.ImportModuleError", f"Unable to import module '{module}': {error}")
    elif isinstance(error, SyntaxError):
        failure = _RuntimeFailure("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {error}")
    elif isinstance(error, AttributeError) and str(error) == f"module '{module}' has no attribute '{handler}'":
        failure = _RuntimeFailure("Runtime.HandlerNotFound", f"Handler '{handler}' missing on module '{module}'")
    def fail(event, context):
        raise failure
    return fail

def run():
'''
)
# A handler that never returns must not outlive the cloud either.
_WATCH = """    import threading
    _cloud = os.getppid()

    def _watch():
        while os.getppid() == _cloud:
            time.sleep(2)
        os._exit(1)

    threading.Thread(target=_watch, daemon=True).start()
"""
_LOOP = "    while True:\n        line = sys.stdin.readline()"
_INIT_FAILED = """        _real_stdout.write(json.dumps({"status": "error", "error": str(e)}) + "\\n")
        _real_stdout.flush()
        return
"""
_INIT_FAILED_AS_AWS = """        handler_fn = _unusable(e, module_name, handler_name)
        _real_stdout.write(json.dumps({"status": "ready", "cold": True}) + "\\n")
        _real_stdout.flush()
"""
# Each is there once.
_REPLACED = {
    "\ndef run():\n": _HELPERS,
    'json.dumps({"status": "ok", "result": result})': "_answer(result)",
    'json.dumps({"status": "error", "error": str(e), "trace": traceback.format_exc()})': "_failure(e)",
    _INIT_FAILED: _INIT_FAILED_AS_AWS,
    _LOOP: _WATCH + _LOOP,
}


def install() -> None:
    from ministack.core import lambda_runtime

    def as_aws(script: str) -> str:
        for known, instead in _REPLACED.items():
            if script.count(known) != 1:
                raise changed(lambda_runtime, f"_PYTHON_WORKER_SCRIPT no longer has {known!r} once")
            script = script.replace(known, instead)
        return script

    patch(lambda_runtime, "_PYTHON_WORKER_SCRIPT", as_aws)
