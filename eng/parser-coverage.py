#!/usr/bin/env python3
"""Line coverage of the parsers, from the newest coverage.cobertura.xml under a folder: parser-coverage.py FOLDER"""
import pathlib
import sys
import xml.etree.ElementTree as xml

PARSERS = {
    "safetensors, index, config": ("Model/SafetensorsHeader", "Model/WeightIndex", "Model/ModelConfig"),
    "handles, JSON": ("Weights/Handles/HandlesJson", "Weights/Handles/JsonFields", "Weights/Handles/HandlesDirectory", "Weights/Handles/TensorLayout"),
    "torch archives, pickles": ("Weights/Handles/Torch/", "Weights/Handles/Pickle/"),
    "state page": ("Weights/Consistency/StatePageFormat",),
    "delta": ("Deltas/DeltaReader", "Deltas/DeltaIndex", "Deltas/DeltaFormat", "Deltas/FieldReader"),
    "payloads (decoders)": ("Codecs/GapCode", "Codecs/DenseCode", "Codecs/CrosserReader", "Codecs/ClassUnpacker", "Codecs/BitReader", "Codecs/HalvesCode"),
    "digests, state, redo, baseline": ("State/DigestTable", "State/ModelStateJson", "Folding/RedoReader", "Baselines/BaselineFile"),
}

report = max(pathlib.Path(sys.argv[1]).rglob("coverage.cobertura.xml"), key=lambda path: path.stat().st_mtime)
lines = {}
for one in xml.parse(report).getroot().iter("class"):
    for line in one.iter("line"):
        key = (one.get("filename"), line.get("number"))
        lines[key] = lines.get(key, False) or line.get("hits") != "0"
print("| parser | lines | covered |\n|---|---|---|")
for name, parts in PARSERS.items():
    hit = [was for (file, _), was in lines.items() if any(part in file for part in parts)]
    print(f"| {name} | {len(hit)} | {100 * sum(hit) / max(1, len(hit)):.0f} % |")
