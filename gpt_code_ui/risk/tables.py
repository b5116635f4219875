"""Which modules, functions and methods are worth a question, as tables.

What stands in no table is decided by the reader: a module nobody knows is asked about, a method
nobody knows is not.
"""

from typing import Literal

Kind = Literal["files", "network", "process", "install", "outside", "unpickle", "hidden"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Modules that only compute, draw, or read what they are told to read.
KNOWN = _words("""
    pandas numpy matplotlib mpl_toolkits seaborn scipy sklearn statsmodels math cmath statistics
    random re json csv datetime time calendar collections itertools functools operator string
    textwrap decimal fractions numbers typing typing_extensions dataclasses enum abc io os sys
    pathlib glob fnmatch shutil zipfile tarfile gzip bz2 lzma zlib sqlite3 xml html unicodedata
    warnings copy pprint hashlib base64 binascii uuid contextlib traceback logging unittest doctest
    difflib heapq bisect array struct zoneinfo locale plotly altair vega_datasets vl_convert bokeh
    PIL cv2 skimage imageio openpyxl xlrd xlsxwriter pyarrow polars docx pptx pypdf PyPDF2
    pdfplumber reportlab networkx sympy mpmath tqdm tabulate wordcloud jieba nltk xgboost lightgbm
    catboost prophet pmdarima shap geopandas shapely folium torch torchvision tensorflow keras
    yaml toml tomllib tomli configparser threading queue concurrent asyncio ipywidgets IPython
    missingno squarify mplfinance pytz dateutil numba lxml bs4 rich colorsys secrets types
    __future__ platform stat errno tempfile joblib lifelines arch linearmodels imblearn umap hdbscan
    dask xarray h5py netCDF4 chardet charset_normalizer ftfy rapidfuzz Levenshtein emoji babel
    pycountry holidays pint graphlib cycler colorcet cmocean adjustText plotnine pygal textblob
    gensim spacy category_encoders feature_engine yellowbrick patsy formulaic pingouin duckdb
    simpy ortools pulp cvxpy docplex deap attr attrs pydantic more_itertools toolz sortedcontainers
    memory_profiler weakref gettext sched numexpr bottleneck snownlp pypinyin opencc zhon
    squarify tables fitz markdown jinja2 pyecharts keyword token tokenize gc ast this wave
""")
# Modules of which a mere import is worth the question.
RISKY_MODULES: dict[str, Kind] = {
    **dict.fromkeys(_words("""
        requests urllib urllib2 urllib3 httpx httpx2 aiohttp http socket socketserver ssl ftplib
        smtplib poplib imaplib nntplib telnetlib xmlrpc websocket websockets paramiko fabric pycurl
        boto boto3 botocore s3fs gcsfs adlfs fsspec google azure openai anthropic litellm tweepy
        praw yfinance pandas_datareader akshare tushare wbgapi fredapi quandl kaggle datasets
        huggingface_hub transformers selenium playwright scrapy mechanize webbrowser antigravity
        psycopg psycopg2 pymysql MySQLdb mysql pyodbc cx_Oracle oracledb pymongo redis sqlalchemy
        peewee elasticsearch clickhouse_driver snowflake grpc zmq pika kafka nats dns geopy
        gdown wget twisted tornado flask fastapi uvicorn django bottle gradio streamlit dash
        socks scapy asyncssh trio anyio ldap3 slack_sdk telegram discord github gitlab snakemq
    """), "network"),
    **dict.fromkeys(_words("""
        subprocess multiprocessing pty pexpect sh plumbum invoke commands popen2 psutil daemon
        loky billiard celery ray crontab schedule apscheduler _posixsubprocess posix nt
        _winapi winreg signal pwd grp fcntl resource termios mmap msvcrt curses
    """), "process"),
    **dict.fromkeys(_words("""
        pip ensurepip setuptools distutils venv virtualenv conda micropip poetry uv
        pkg_resources easy_install pipx wheel
    """), "install"),
    **dict.fromkeys(_words("""
        pickle cPickle _pickle cloudpickle dill shelve marshal pickletools jsonpickle copyreg
        dbm skops
    """), "unpickle"),
    **dict.fromkeys(_words("""
        ctypes _ctypes cffi importlib imp runpy code codeop builtins __builtin__ _frozen_importlib
        zipimport pkgutil inspect dis opcode pdb timeit bdb cProfile profile trace sysconfig site
        atexit faulthandler tracemalloc symtable compileall py_compile sitecustomize usercustomize
        ipykernel jupyter_client jupyter_core nbclient nbformat debugpy linecache modulefinder
        ptrace frida keyring getpass netrc secretstorage dotenv gpt_code_ui _io _thread _imp
        pyximport cython cppyy js2py RestrictedPython asteval simpleeval rpy2 julia py4j jpype jnius
        pydoc fileinput filecmp mailbox nturl2path cgi cgitb
    """), "hidden"),
}  # fmt: skip

# Modules of a known family that are not like the rest of it.
RISKY_BELOW: dict[str, Kind] = {
    "numpy.ctypeslib": "hidden", "numpy.f2py": "process", "numpy.distutils": "process",
    "numpy.testing": "hidden", "scipy.weave": "process", "concurrent.futures.process": "process",
    "concurrent.futures.ProcessPoolExecutor": "process", "asyncio.subprocess": "process",
    "logging.handlers": "network", "logging.config": "hidden", "xml.sax.handler": "hidden",
    "matplotlib.sphinxext": "process", "unittest.mock": "hidden", "pandas.io": "hidden",
    "torch.hub": "network", "torch.utils": "hidden", "sklearn.externals": "hidden",
    "IPython.core": "hidden", "IPython.terminal": "hidden", "IPython.lib": "hidden",
    "IPython.utils": "process", "IPython.get_ipython": "hidden", "IPython.embed": "hidden",
    "tensorflow.io": "network", "types.FunctionType": "hidden", "types.CodeType": "hidden",
    "sklearn.datasets.fetch_openml": "network", "nltk.download": "network",
    "seaborn.load_dataset": "network", "plotly.io.kaleido": "process",
"pandas.read_clipboard": "outside",
"numba.core": "hidden",
    "platform.popen": "process", "operator.attrgetter": "hidden", "operator.methodcaller": "hidden",
    "contextlib.chdir": "outside", "sympy.sympify": "hidden",
    "sympy.parsing": "hidden",
}  # fmt: skip

# Of these modules only what is named here is let through.
ALLOWED_MEMBERS: dict[str, frozenset[str]] = {
    "os": _words("""
        path listdir walk scandir makedirs mkdir getcwd sep linesep stat cpu_count name pathsep
        fspath curdir remove unlink rename replace rmdir removedirs extsep altsep PathLike DirEntry
        getpid stat_result urandom error strerror
    """),
    "sys": _words("""
        version version_info stdout stderr maxsize getsizeof float_info platform byteorder
        exit getrecursionlimit setrecursionlimit argv hexversion int_info implementation
        set_int_max_str_digits getdefaultencoding getfilesystemencoding maxunicode exc_info
        getrefcount
    """),
    "shutil": _words("copy copy2 copyfile copytree move rmtree make_archive unpack_archive"),
    "IPython": _words("display version_info __version__"),
    "tempfile": _words("NamedTemporaryFile TemporaryDirectory TemporaryFile SpooledTemporaryFile"),
    "joblib": _words("Parallel delayed cpu_count hash load dump"),
    "platform": _words("""
        python_version python_implementation system machine platform release version architecture
        processor python_version_tuple python_compiler
    """),
    "ast": _words("literal_eval parse walk dump unparse NodeVisitor"),
    "types": _words("SimpleNamespace MappingProxyType NoneType GeneratorType"),
    "glob": _words("glob iglob escape"),
    "asyncio": _words("""
        run sleep gather wait wait_for create_task Queue Event Lock Semaphore TimeoutError
        get_event_loop get_running_loop new_event_loop iscoroutine Task Future as_completed timeout
        to_thread run_coroutine_threadsafe TaskGroup CancelledError
    """),
}  # fmt: skip
MEMBER_KINDS: dict[str, Kind] = {
    **{f"os.{name}": "process" for name in _words("""
        system popen fork forkpty kill killpg abort _exit spawnl spawnle spawnlp spawnlpe spawnv
        spawnve spawnvp spawnvpe execl execle execlp execlpe execv execve execvp execvpe
        posix_spawn posix_spawnp startfile nice setsid waitpid wait
    """)},
    **{f"os.{name}": "outside" for name in _words("""
        environ environb getenv getenvb putenv unsetenv chdir fchdir chroot getlogin getuid
        expanduser expandvars open readlink link symlink chmod chown truncate get_exec_path
    """)},
}  # fmt: skip

# Names that are there without an import.
RISKY_NAMES: dict[str, Kind] = {
    **dict.fromkeys(_words("""
        exec eval compile __import__ globals locals vars breakpoint __builtins__ __loader__
        __spec__ get_ipython execfile reload _ih _oh _dh
        run_line_magic __builtin__ _getframe
    """), "hidden"),
}  # fmt: skip
# Builtins that only mean what they seem to as long as they are called by their own name.
CALLED_ONLY = frozenset({"open", "getattr", "setattr", "delattr", "__build_class__"})

# Methods and attributes, whatever they are found on.
RISKY_ATTRIBUTES: dict[str, Kind] = {
    **dict.fromkeys(_words("""
        system popen Popen check_output check_call getoutput getstatusoutput run_module
        fork forkpty kill killpg spawn execv execve execvp spawnv spawnl posix_spawn
        ProcessPoolExecutor create_subprocess_shell create_subprocess_exec subprocess_shell
        startfile send_signal
    """), "process"),
    **dict.fromkeys(_words("""
        IFrame YouTubeVideo DataSource
        urlopen urlretrieve HTTPConnection HTTPSConnection create_connection open_connection
        start_server create_server getaddrinfo gethostbyname sendto sendall download_file
        upload_file fetch_openml load_dataset fetch_20newsgroups fetch_california_housing
        fetch_olivetti_faces fetch_lfw_people fetch_covtype
        fetch_kddcup99 fetch_species_distributions
        read_gbq to_gbq read_sql_table open_unix_connection sock_connect
    """), "network"),
    **dict.fromkeys(_words("""
        read_pickle from_pickle load_pickle pickle_load unsafe_load full_load
        read_hdf HDFStore
    """), "unpickle"),
    **dict.fromkeys(_words("""
        environ environb getenv putenv home expanduser expandvars chdir
        gethomedir to_clipboard
    """), "outside"),
    **dict.fromkeys(_words("""
        exec_module load_module import_module find_spec find_loader exec_file execfile
        run_code run_cell run_cell_async run_line_magic run_cell_magic run_path runcode runsource
        safe_execfile getoutput_magic magic register_magic_function user_ns user_global_ns
        f_globals f_locals f_builtins f_back f_code gi_frame gi_code cr_frame ag_frame tb_frame
        func_globals func_code co_code co_consts co_names settrace setprofile _getframe
        meta_path path_hooks path_importer_cache displayhook excepthook addaudithook
        attrgetter methodcaller get_ipython CDLL cdll windll PyDLL LoadLibrary dlopen
        from_address Javascript get_field loadTestsFromName loadTestsFromNames load_extension
        enable_load_extension get_objects get_referrers get_referents run_string load_ext
        parse_expr sympify set_trace post_mortem runeval runcall set_code
    """), "hidden"),
    **dict.fromkeys(_words("""
        symlink symlink_to hardlink_to link_to unlink rmtree removedirs chmod lchmod chown truncate
        mkfifo mknod utime
    """), "files"),
}  # fmt: skip
# These are looked at where they are called, with their paths.
PATH_CHECKED = frozenset({"unlink", "rmtree", "removedirs", "truncate"})
# Attributes that are modules: a way round an import.
MODULE_ATTRIBUTES = frozenset(
    {"os", "sys", "subprocess", "shutil", "socket", "importlib", "builtins", "ctypes", "pickle",
     "requests", "urllib", "posix", "pty", "multiprocessing", "inspect", "runpy", "http", "ssl",
     "_os", "_sys", "_io", "pathlib", "tempfile", "glob", "codecs", "modules", "commands",
     "warnings", "linecache", "weakref", "threading", "marshal", "cPickle", "joblib"}
)  # fmt: skip
HARMLESS_DUNDERS = _words("""
    __name__ __doc__ __version__ __class__ __init__ __len__ __post_init__ __str__ __repr__ __enter__
    __exit__ __iter__ __next__ __eq__ __add__ __sub__ __mul__ __hash__ __lt__ __le__ __gt__ __ge__
    __getitem__ __setitem__ __contains__ __call__ __annotations__ __dataclass_fields__ __file__
    __new__ __del__ __neg__ __truediv__ __matmul__ __bool__ __int__ __float__ __abs__ __ne__
    __init_subclass__ __radd__ __rmul__ __iadd__ __reversed__ __qualname__ __slots__ __all__
    __array__ __notes__ __aenter__ __aexit__ __main__ __future__ __set_name__ __format__ __missing__
""")

# Functions and methods that read the path they are given first.
READERS = _words("""
    read_csv read_table read_fwf read_excel read_json read_html read_xml read_parquet read_feather
    read_orc read_stata read_sas read_spss read_ods read_avro read_ipc
    read_ndjson scan_csv scan_parquet scan_ndjson scan_ipc read_file read_image load loadtxt
    genfromtxt fromfile imread ExcelFile load_workbook Document Presentation PdfReader
    PdfFileReader ZipFile TarFile TarFile.open File connect listdir walk scandir glob iglob rglob
    Path PurePath PosixPath iterparse loadmat open_dataset open_mfdataset from_csv from_parquet
    open_workbook readlink FileInput imageio_read get_data GzipFile BZ2File LZMAFile
    memory_map open_csv read_clipboard read_schema read_metadata ParquetFile
    open_code opener read_csv_auto read_csv_arrow
""")
# Functions and methods that write the path they are given first (second after a module's name).
WRITERS = _words("""
    to_csv to_excel to_json to_parquet to_html to_latex to_markdown to_pickle to_feather to_hdf
    to_stata to_xml to_string to_orc to_netcdf to_zarr to_file savefig
    write_html write_image write_csv write_parquet write_excel write_ipc
    write_ndjson write_avro tofile imsave imwrite savemat savez
    savez_compressed savetxt ExcelWriter PdfPages basicConfig save write_video FileHandler write_png
    print_figure save_model sink_csv sink_parquet sink_ipc
""")
# Parameters that hold a path.
PATH_NAMES = _words("""
    path filepath filepath_or_buffer path_or_buf path_or_buffer path_or_stream fname filename file
    io excel_writer buf fp source sink where dst src root_dir output
    path_or_handle outfile savepath
""")
# Folders of a system and of a person: a text that begins with one is a path.
ROOTS = (
    "etc", "home", "root", "proc", "sys", "dev", "var", "usr", "tmp", "opt", "mnt", "media", "srv",
    "boot", "sbin", "lib64", "Users", "Volumes", "Library", "private", "Applications", "snap",
)  # fmt: skip
