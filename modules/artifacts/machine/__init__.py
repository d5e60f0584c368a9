"""What a machine of a lab holds: the machine image is made with it, the steps over SSH compare with it.

texts     configuration files, as pure functions
payload   programs, CNI plugins and image archives, each with its place on the machine
"""
