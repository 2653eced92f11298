"""Agents on the official A2A SDKs that do what `script.py` says and call each other, and clients told what to do by line."""
