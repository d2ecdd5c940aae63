"""What makes a job an Appwrite function: triggers, body, settings, deadline, logging, answer."""
