"""Mutation testing: does a test fail when the code that decides what users get is changed?"""
