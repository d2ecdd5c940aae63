"""The store on Appwrite: tables of TablesDB over its REST API.

Start reading at `store` (the whole port), then `polls` (one poll, one transaction), `claims` (who may poll), `rows`
(what can be done with rows) and `rest` (one call, asked until it is answered).
"""
