"""Agents on the official A2A SDKs, which do what `script.py` says, and call each other. And clients, told what to do by line."""
