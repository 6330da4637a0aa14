"""sitecap's central service: capability profiles in, HS06-equivalent capacity out."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("sitecap")
except PackageNotFoundError:  # a checkout that is not installed
    __version__ = "0+unknown"
