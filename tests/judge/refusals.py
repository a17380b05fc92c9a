"""Refusals that are known and right: rasters of the public corpus, by why; another one shows as new."""

from __future__ import annotations

CORPUS: dict[str, tuple[str, ...]] = {
    "a block of 2 GB": ("gdal/autotest/gcore/data/block_width_above_32bit.tif",),
    "damaged samples": (
        "gdal/autotest/gcore/data/byte_buggy_packbits.tif",
        "gdal/autotest/gcore/data/corrupted_deflate_singlestrip.tif",
        "gdal/autotest/gcore/data/excessive-memory-TIFFFillTile.tif",
        "gdal/autotest/gcore/data/gtiff/lzw_corrupted.tif",
        "gdal/autotest/gcore/data/gtiff/ossfuzz_470691578.tif",
        "gdal/autotest/gcore/data/strip_larger_than_2GB_header.tif",
        "go-fuzz-corpus/tiff/corpus/470447771374ab2760ef65b2eb6126305c2b59db-2",
        "go-fuzz-corpus/tiff/corpus/61e0d863a43e4f9f5e0eeb6f3448f20fcd1a3ce0-3",
        "go-fuzz-corpus/tiff/corpus/7765c4a247493328160b37b6f94c79c36f58c2d2-4",
        "go-fuzz-corpus/tiff/corpus/848b1d6e3817fcafc5ef9031f00289babcd87ea9-7",
        "go-fuzz-corpus/tiff/corpus/90ae8450958f05cfd4a03460627ea5830aa16ef9-5",
        "go-fuzz-corpus/tiff/corpus/a152544eb5f92ef33aa35957a8b33da107191087-5",
        "go-fuzz-corpus/tiff/corpus/d79ee7159c75a937622bf8ff77032b7c75a2c604-5",
        "image-tiff/tests/fuzz_images/inf_loop/id=000032,src=000558+000248,op=splice,rep=8",
        "image-tiff/tests/fuzz_images/inf_loop/id=000033,src=000525+000106,op=splice,rep=4",
        "image-tiff/tests/fuzz_images/inf_loop/id=000039,src=000640,op=havoc,rep=4",
        "image-tiff/tests/fuzz_images/inf_loop/id=000040,src=000679+000165,op=splice,rep=4",
        "image-tiff/tests/fuzz_images/oom_crash/id=000004,sig=06,src=000000,op=havoc,rep=2",
        "image-tiff/tests/fuzz_images/oor_panic/sample-get-lzw-stuck.tiff",
        "image-tiff/tests/libtiffpic/text.tif",
        "pillow/Tests/images/crash-0c7e0e8e11ce787078f00b5b0ca409a167f070e0.tif",
        "pillow/Tests/images/crash-1185209cf7655b5aed8ae5e77784dfdd18ab59e9.tif",
        "pillow/Tests/images/crash-4f085cc12ece8cde18758d42608bed6a2a2cfb1c.tif",
        "pillow/Tests/images/crash-63b1dffefc8c075ddc606c0a2f5fdc15ece78863.tif",
    ),
    "JPEG XL, which this GDAL cannot decode": (
        "gdal/autotest/gcore/data/gtiff/jxl-rgbi.tif",
        "gdal/autotest/gcore/data/gtiff/rgbsmall_JXL.tif",
        "gdal/autotest/gcore/data/gtiff/rgbsmall_JXL_separate.tif",
    ),
    "a strip beyond the memory limit": ("gdal/autotest/gcore/data/scanline_more_than_2GB.tif",),
    "more blocks than a TIFF can have": ("gdal/autotest/gcore/data/toomanyblocks_separate.tif",),
    "a compression that does not exist": ("gdal/autotest/gcore/data/unknown_compression.tif",),
    "a VRT under the name of a TIFF": ("gdal/autotest/gdrivers/data/dimap/IMAGERY.TIF",),
    "a damaged directory": (
        "go-fuzz-corpus/tiff/corpus/13cbb8b66b02fb0f0e79716220a3d48e47483849-6",
        "go-fuzz-corpus/tiff/corpus/2b21be4ad2a8c77ec5176dac3a038411fdbacdd0-5",
        "go-fuzz-corpus/tiff/corpus/8aa4f20975fda63edffa3312244b1729bd060963-1",
        "go-fuzz-corpus/tiff/corpus/9350a51620f159bdf4ca2e04d2a351e010788f64-3",
        "go-fuzz-corpus/tiff/corpus/b50f5d3d1bb7d710157250bd58b5941b08dd77bb-1",
        "image-tiff/tests/fuzz_images/divide_by_zero/id=000027,sig=06,src=000348+000170,op=splice,rep=64",
        "image-tiff/tests/fuzz_images/divide_by_zero/id=000032,sig=06,src=000172,op=havoc,rep=2",
        "image-tiff/tests/fuzz_images/divide_by_zero/id=000033,sig=06,src=000227+000161,op=splice,rep=4",
        "image-tiff/tests/fuzz_images/oom_crash/id=000005,sig=06,src=000000,op=havoc,rep=2",
        "image-tiff/tests/fuzz_images/oom_crash/id=000021,sig=06,src=000004,op=havoc,rep=4",
        "image-tiff/tests/fuzz_images/oom_crash/id=000038,sig=06,src=000066,op=havoc,rep=32",
        "image-tiff/tests/fuzz_images/oom_crash/id=000053,sig=06,src=000329+000130,op=splice,rep=128",
        "pillow/Tests/images/oom-225817ca0f8c663be7ab4b9e717b02c661e66834.tif",
        "pillow/Tests/images/timeout-6646305047838720",
    ),
    "white is zero, in a directory with damaged entries": (
        "go-fuzz-corpus/tiff/corpus/3b532fef64431b303600723377c79be51ca38270",
        "go-fuzz-corpus/tiff/corpus/c20bedd4577ea477a02ba25c0960b2b3f4b0c90f-1",
        "image-tiff/tests/fuzz_images/oor_panic/id=000023,sig=06,src=000006,op=havoc,rep=8",
    ),
    "a sample size that does not exist": (
        "go-fuzz-corpus/tiff/corpus/432c6c4d7986bbf234ca2ea3ed6a4f7c807c9514-7",
    ),
    "samples of different sizes": ("go-fuzz-corpus/tiff/corpus/6044f0ed1003a7039d3009bf19d87a4984bae472-1",),
}
"""Paths below the corpus, by what is the matter with the raster."""

WORDS: dict[str, str] = {
    "different nodata values": "GeoTIFF has one nodata value for all bands",
    "bands of half floats": "this GDAL makes no overviews of several bands of half floats",
    "masks that differ": "GeoTIFF has one mask for all bands",
}
"""What a reason may say of any raster: GeoTIFF itself, or GDAL, has no place for it."""


def known(name: str, reason: str) -> str:
    """Why a raster of this name may be refused for this reason; empty where nothing is known."""
    listed = (why for why, paths in CORPUS.items() if any(name.endswith(f"/{known}") for known in paths))
    said = (why for words, why in WORDS.items() if words in reason)
    return next(iter([*listed, *said]), "")
