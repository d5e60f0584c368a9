"""`stacklab dashboard`: a live picture of a running lab. Reads only; nothing in the lab is made or changed for it.

Kubernetes API + metrics-server -> api -> read -> Cluster ┐
exposures of the outputs -> reach -> Reach                ├-> model.Snapshot -> picture (HTML), report (JSON)
machines of the backend, when the API is away -> away     ┘   modules.pages shows it; watch.py keeps it fresh
"""
