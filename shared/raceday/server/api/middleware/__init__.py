"""What every request passes through, in plain ASGI: observed, headed, limited, let in, caught, tagged."""
