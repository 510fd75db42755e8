"""An autograder for Gradescope: a zip file with the kit, its packages' versions and two scripts.

setup.sh runs once, when Gradescope builds the image; run_autograder runs for each submission.
"""
