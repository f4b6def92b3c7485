"""Containers as processes: which program an image stands for, how it starts and ends, and where its output goes."""
